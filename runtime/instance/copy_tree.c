/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying an object with everything below it, name by name through descriptors: what either side
 * renames or replaces meanwhile cannot lead elsewhere; see copy.h. In the command.
 */
#include "instance/copying.h"
#include "instance/inspect.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "base/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int owner_for(const struct copying *copying, int dirfd, struct stat *ret_owner)
{
	if (!copy_is_inside(&copying->copy->to))
		return 0;
	return copy_owner_of(dirfd, ret_owner);
}

/* What stands there now was made by us, unless the tenant was faster: then it is no link. */
static int own_link(const struct copying *copying, int dirfd, const char *name)
{
	struct stat owner = {0}, st;
	cleanup_fd int fd = -1;
	int r = owner_for(copying, dirfd, &owner);

	if (r < 0 || !copy_is_inside(&copying->copy->to))
		return r;
	fd = inspect_open(dirfd, name, &st);
	if (fd < 0)
		return fd;
	if (!S_ISLNK(st.st_mode))
		return -EEXIST;
	return fchownat(fd, "", owner.st_uid, owner.st_gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

static int make_link(const struct copying *copying, const struct copy_target *target,
		     const char *to)
{
	char temporary[32];
	int r;

	copy_temporary_name(temporary);
	if (symlinkat(to, target->dirfd, temporary) < 0)
		return -errno;
	r = own_link(copying, target->dirfd, temporary);
	if (r == 0 && renameat(target->dirfd, temporary, target->dirfd, target->name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(target->dirfd, temporary, 0);
	return r;
}

static int copy_link(struct copying *copying, const struct copy_source *source,
		     const struct copy_target *target, struct error *err)
{
	cleanup_free char *to = NULL;
	int r = inspect_readlink(source->fd, &to);

	if (r < 0)
		return error_set(err, -r, "cannot read link '%s'", source->shown);
	r = copying_act_on(copying, &copying->copy->to, err);
	if (r < 0)
		return r;
	r = make_link(copying, target, to);
	return r < 0 ? error_set(err, -r, "cannot make link '%s'", target->shown) : 0;
}

/* Opens the directory, which is made if need be; *ret_made says so. */
static int open_or_make(struct copying *copying, const struct copy_target *target, bool *ret_made)
{
	cleanup_fd int fd = -1;
	struct stat owner = {0};
	int r = owner_for(copying, target->dirfd, &owner);

	if (r < 0)
		return r;
	*ret_made = mkdirat(target->dirfd, target->name, 0700) == 0;
	if (!*ret_made && errno != EEXIST)
		return -errno;
	fd = openat(target->dirfd, target->name,
		    (*ret_made ? O_RDONLY : O_PATH) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (copy_is_inside(&copying->copy->to)) {
		if (inspect_is_kernel_view(fd))
			return -EPERM;
		if (*ret_made && fchown(fd, owner.st_uid, owner.st_gid) < 0)
			return -errno;
	}
	return steal_fd(&fd);
}

static void complain(struct copying *copying, const struct error *err)
{
	copying->complaints++;
	copying->copy->complain(err, copying->copy->data);
}

/* For messages: a name that a tenant chose goes to a person's terminal. */
static char *shown_below(const char *directory, const char *name)
{
	struct text text = {0};

	text_add(&text, directory);
	if (!text.length || text.data[text.length - 1] != '/')
		text_add(&text, "/");
	text_add_visible_name(&text, name);
	return text_take(&text);
}

struct directory {
	DIR *dir;
	const struct copy_source *source;
	const struct copy_target *target;
	int out;
	unsigned depth;
};

static int copy_entry(struct copying *copying, const struct directory *d, const char *name,
		      struct error *err)
{
	cleanup_free char *from = shown_below(d->source->shown, name);
	cleanup_free char *to = shown_below(d->target->shown, name);
	struct copy_target target = {.dirfd = d->out, .name = name, .shown = to};
	struct copy_source source = {.shown = from};
	cleanup_fd int fd = -1;
	int r = copying_act_on(copying, &copying->copy->from, err);

	if (r < 0)
		return r;
	source.fd = fd = inspect_open(dirfd(d->dir), name, &source.st);
	if (fd == -ENOENT)
		return 0; /* removed meanwhile */
	if (fd < 0)
		return error_set(err, -fd, "cannot look at '%s'", from);
	return copy_object(copying, &source, &target, d->depth + 1, err);
}

static int copy_entries(struct copying *copying, const struct directory *d, struct error *err)
{
	struct dirent *entry;

	while (!copying->over) {
		struct error one = {0};
		int r = copying_act_on(copying, &copying->copy->from, err);

		if (r < 0)
			return r;
		errno = 0;
		entry = readdir(d->dir);
		if (!entry && errno)
			return error_set(err, errno, "cannot list '%s'", d->source->shown);
		if (!entry)
			return 0;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (copy_entry(copying, d, entry->d_name, &one) < 0)
			complain(copying, &one);
	}
	return 0;
}

static int open_listing(const struct copy_source *source, DIR **ret_dir)
{
	cleanup_fd int fd = inspect_reopen(source->fd, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	*ret_dir = fdopendir(fd);
	if (!*ret_dir)
		return -errno;
	steal_fd(&fd);
	return 0;
}

/* The mode comes last: it may take away the right to put anything in. */
static int copy_directory(struct copying *copying, const struct copy_source *source,
			  const struct copy_target *target, unsigned depth, struct error *err)
{
	cleanup_dir DIR *dir = NULL;
	cleanup_fd int out = -1;
	struct directory d = {.source = source, .target = target, .depth = depth};
	bool made;
	int r, mode_r;

	if (depth > COPY_DEPTH_MAX)
		return error_say(err, ERROR_FAILED, "'%s' is nested too deeply", source->shown);
	r = open_listing(source, &dir);
	if (r < 0)
		return error_set(err, -r, "cannot list '%s'", source->shown);
	r = copying_act_on(copying, &copying->copy->to, err);
	if (r < 0)
		return r;
	out = open_or_make(copying, target, &made);
	if (out < 0)
		return error_set(err, -out, "cannot make directory '%s'", target->shown);
	d.dir = dir;
	d.out = out;
	r = copy_entries(copying, &d, err);
	mode_r = copying_act_on(copying, &copying->copy->to, err);
	if (mode_r == 0 && made && fchmod(out, source->st.st_mode & ~copying->mask & 01777) < 0)
		mode_r = error_set(err, errno, "cannot set the mode of '%s'", target->shown);
	return r < 0 ? r : mode_r;
}

int copy_object(struct copying *copying, const struct copy_source *source,
		const struct copy_target *target, unsigned depth, struct error *err)
{
	mode_t mode = source->st.st_mode;
	int r = copying_act_on(copying, &copying->copy->from, err);

	if (r < 0)
		return r;
	if (source->stream)
		return copy_file(copying, source, target, err);
	if (copy_is_inside(&copying->copy->from) && inspect_is_kernel_view(source->fd))
		return error_say(err, ERROR_FAILED,
				 "'%s' belongs to a view of the kernel and is not copied",
				 source->shown);
	if (S_ISREG(mode))
		return copy_file(copying, source, target, err);
	if (S_ISDIR(mode))
		return copy_directory(copying, source, target, depth, err);
	if (S_ISLNK(mode))
		return copy_link(copying, source, target, err);
	return error_say(err, ERROR_FAILED, "'%s' is a %s and is not copied", source->shown,
			 file_special_kind(mode));
}
