/* SPDX-License-Identifier: Apache-2.0 */
/* What a template puts into an instance's view; see content.h. In the command that starts it. */
#include "instance/content.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Looked at before it is opened for reading: a device or a pipe would notice that. */
static int open_source(const struct plan_file *file, struct error *err)
{
	cleanup_fd int fd = open(file->from, O_PATH | O_CLOEXEC);
	cleanup_free char *self = NULL;
	struct stat st;
	int source;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, errno, "files: '%s': cannot open '%s'", file->target,
				 file->from);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return error_say(err, ERROR_FAILED,
				 "files: '%s': '%s' is neither a regular file nor a directory",
				 file->target, file->from);
	if (S_ISDIR(st.st_mode) && file->mode)
		return error_say(err, ERROR_FAILED,
				 "files: '%s': '%s' is a directory, whose files keep their modes; "
				 "leave out 'mode'",
				 file->target, file->from);
	self = xasprintf("/proc/self/fd/%d", fd);
	source = open(self, O_RDONLY | O_CLOEXEC);
	return source < 0 ? error_set(err, errno, "files: '%s': cannot open '%s'", file->target,
				      file->from)
			  : source;
}

static int find_owner(const struct plan_file *file, const struct account *server,
		      struct rootfs_put *put, struct error *err)
{
	cleanup_account struct account account = {0};
	const struct account *owner = server;

	if (file->user) {
		if (account_resolve(file->user, &account, err) < 0)
			return error_prefix(err, "files: '%s'", file->target);
		owner = &account;
	}
	put->uid = owner->uid;
	put->gid = owner->gid;
	return 0;
}

int content_open(const struct plan *plan, const struct account *account, struct content *content,
		 struct error *err)
{
	for (size_t i = 0; i < plan->content.n_files; i++) {
		const struct plan_file *file = &plan->content.files[i];
		int r = find_owner(file, account, &content->puts[i], err);

		if (r < 0)
			return r;
		if (!file->from)
			continue;
		r = open_source(file, err);
		if (r < 0)
			return r;
		content->puts[i].number = content->n_sources;
		content->sources[content->n_sources++] = r;
	}
	return 0;
}

void content_deinit(struct content *content)
{
	while (content->n_sources)
		close(content->sources[--content->n_sources]);
}
