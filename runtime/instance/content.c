/* SPDX-License-Identifier: Apache-2.0 */
/* What a template puts into an instance's view; see content.h. In the command that starts it. */
#include "instance/content.h"
#include "instance/lowers.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "install/image.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Looked at before it is opened for reading: a device or a pipe would notice that. */
static int open_source(const char *path, struct stat *ret_st, struct error *err)
{
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
	cleanup_free char *self = NULL;
	int source;

	if (fd < 0 || fstat(fd, ret_st) < 0)
		return error_set(err, errno, "cannot open '%s'", path);
	if (!S_ISREG(ret_st->st_mode) && !S_ISDIR(ret_st->st_mode))
		return error_say(err, ERROR_FAILED,
				 "'%s' is neither a regular file nor a directory", path);
	self = xasprintf("/proc/self/fd/%d", fd);
	source = open(self, O_RDONLY | O_CLOEXEC);
	return source < 0 ? error_set(err, errno, "cannot open '%s'", path) : source;
}

/* Takes over the descriptor. */
static void add_source(struct content *content, int source, struct rootfs_put *put)
{
	put->number = content->n_sources;
	content->sources[content->n_sources++] = source;
}

static int find_owner(const char *user, const struct account *server, struct rootfs_put *put,
		      struct error *err)
{
	cleanup_account struct account account = {0};
	const struct account *owner = server;

	if (user) {
		if (account_resolve(user, &account, err) < 0)
			return err->code;
		owner = &account;
	}
	put->uid = owner->uid;
	put->gid = owner->gid;
	return 0;
}

static int open_file(const struct plan_file *file, const struct account *server,
		     struct content *content, struct rootfs_put *put, struct error *err)
{
	struct stat st;
	int r = find_owner(file->user, server, put, err);

	if (r < 0 || !file->from)
		return r;
	r = open_source(file->from, &st, err);
	if (r < 0)
		return r;
	add_source(content, r, put);
	if (S_ISDIR(st.st_mode) && file->mode)
		return error_say(err, ERROR_FAILED,
				 "'%s' is a directory, whose files keep their modes; leave out "
				 "'mode'",
				 file->from);
	return 0;
}

static int load_secret(const struct plan_secret *secret, int given, struct error *err)
{
	cleanup_free char *what = xasprintf("'%s'", secret->from ? secret->from : "");
	cleanup_fd int source = -1;
	struct stat st;

	if (given >= 0) {
		source = fcntl(given, F_DUPFD_CLOEXEC, 0);
		return source < 0 ? error_set(err, errno, "cannot keep it") : steal_fd(&source);
	}
	source = open_source(secret->from, &st, err);
	if (source < 0)
		return source;
	if (!S_ISREG(st.st_mode))
		return error_say(err, ERROR_FAILED, "%s is a directory", what);
	return secret_load(source, what, err);
}

static int open_secret(const struct plan_secret *secret, const struct account *server, int given,
		       struct content *content, struct error *err)
{
	struct rootfs_secret *one = &content->secrets[content->n_secrets];
	int r;

	if (given < 0 && !secret->from)
		return 0;
	r = find_owner(secret->user, server, &one->put, err);
	if (r == 0)
		r = load_secret(secret, given, err);
	if (r < 0)
		return r;
	add_source(content, r, &one->put);
	one->plan = secret;
	content->n_secrets++;
	return 0;
}

int content_open(const struct plan *plan, const struct account *account,
		 const struct given_secrets *given, struct content *content, struct error *err)
{
	for (size_t i = 0; i < plan->content.n_files; i++) {
		const struct plan_file *file = &plan->content.files[i];

		if (open_file(file, account, content, &content->puts[i], err) < 0)
			return error_prefix(err, "files: '%s'", file->target);
	}
	for (size_t i = 0; i < plan->content.n_secrets; i++) {
		const struct plan_secret *secret = &plan->content.secrets[i];

		if (open_secret(secret, account, secrets_find(given, secret->name), content, err) <
		    0)
			return error_prefix(err, "secrets: '%s'", secret->name);
	}
	return 0;
}

int content_open_lowers(char *const *paths, char *const *directories, struct content *content,
			struct error *err)
{
	for (size_t i = 0; paths && paths[i]; i++) {
		struct rootfs_lower *lower = &content->lowers[i];
		int r = lower_is_live(paths[i], directories[i]) ? -ENOENT
								: image_open(paths[i], err);

		*lower = (struct rootfs_lower){.path = paths[i], .image = -1};
		if (r < 0 && r != -ENOENT)
			return r;
		if (r < 0)
			continue;
		lower->image = (int32_t)content->n_sources;
		content->sources[content->n_sources++] = r;
	}
	return 0;
}

void content_deinit(struct content *content)
{
	for (size_t i = 0; i < PLAN_LAYERS_MAX; i++)
		strv_free(content->lowers[i].above);
	while (content->n_sources)
		close(content->sources[--content->n_sources]);
}
