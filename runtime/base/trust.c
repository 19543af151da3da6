/* SPDX-License-Identifier: Apache-2.0 */
/* Files that only trusted users can have written; see trust.h. */
#include "base/trust.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static bool is_trusted_group(const struct trust *trust, gid_t group)
{
	return group == 0 || (trust->has_group && group == trust->group);
}

static int check(const struct stat *st, const struct trust *trust, const char *path,
		 struct error *err)
{
	bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);

	if (st->st_uid != 0 && st->st_uid != trust->uid)
		return error_say(err, ERROR_REFUSED,
				 "'%s' belongs to user %u, who could change what root does: only "
				 "your own files and root's are taken; look at it, and take a copy",
				 path, st->st_uid);
	if ((st->st_mode & S_IWOTH) && !sticky)
		return error_say(err, ERROR_REFUSED,
				 "everybody can write to '%s' and so change what root does: "
				 "'chmod o-w' it, or take a copy elsewhere",
				 path);
	if ((st->st_mode & S_IWGRP) && !sticky && !is_trusted_group(trust, st->st_gid))
		return error_say(err, ERROR_REFUSED,
				 "group %u can write to '%s' and so change what root does: "
				 "'chmod g-w' it, or take a copy elsewhere",
				 st->st_gid, path);
	return 0;
}

/* One step down the path; links are no part of a real path, unless somebody is just making one. */
static int step(int dir, const char *name, int flags, const struct trust *trust, const char *path,
		int *ret_fd, struct error *err)
{
	cleanup_fd int fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, errno, "cannot open '%s'", path);
	r = check(&st, trust, path, err);
	if (r < 0)
		return r;
	if (!(flags & O_DIRECTORY) && !S_ISREG(st.st_mode))
		return error_say(err, ERROR_REFUSED, "'%s' is no regular file", path);
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int walk(char *real, const struct trust *trust, int *ret_fd, struct error *err)
{
	const int directory = O_PATH | O_DIRECTORY;
	cleanup_fd int dir = -1;
	char *name = real + 1, *slash;
	int r = step(AT_FDCWD, "/", directory, trust, "/", &dir, err);

	while (r == 0 && (slash = strchr(name, '/'))) {
		int next = -1;

		*slash = '\0';
		r = step(dir, name, directory, trust, real, &next, err);
		*slash = '/';
		name = slash + 1;
		if (r == 0) {
			close(dir);
			dir = next;
		}
	}
	if (r == 0)
		r = step(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, trust, real, ret_fd, err);
	return r;
}

int trust_open(const char *path, const struct trust *trust, int *ret_fd, struct error *err)
{
	cleanup_free char *real = realpath(path, NULL);

	int r = real ? 0 : error_set(err, errno, "cannot open '%s'", path);

	if (r == -ENOENT)
		error_kind_set(err, ERROR_NOT_FOUND);
	if (r < 0)
		return r;
	return walk(real, trust, ret_fd, err);
}
