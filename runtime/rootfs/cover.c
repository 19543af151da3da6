/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is covered: masks and read-only parts; see applying.h. Covered is only what lies on a file
 * system that root_apply() made itself, found from its own descriptor, without a symbolic link and
 * without a step into another mount; so no mask ever lands on something else, or shows something
 * else than nothing.
 */
#include "rootfs/applying.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

int root_made_add(struct root_made *made, const char *target, int fd)
{
	if (made->n == ROOT_MADE_MAX) {
		close(fd);
		return -E2BIG;
	}
	made->list[made->n].target = target;
	made->list[made->n++].fd = fd;
	return 0;
}

void root_made_deinit(struct root_made *made)
{
	while (made->n > 0)
		close(made->list[--made->n].fd);
}

static bool is_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

int root_made_check(const struct root_made *made, int root, struct error *err)
{
	for (size_t i = 0; i < made->n; i++) {
		const char *target = made->list[i].target;
		cleanup_fd int shown = file_open_in_root(root, target, O_PATH | O_NOFOLLOW, 0);

		if (shown < 0)
			return error_set(err, -shown, "cannot open '%s' of the new root", target);
		if (!is_same(shown, made->list[i].fd))
			return error_say(err, ERROR_FAILED,
					 "'%s' of the new root shows something else than what was "
					 "mounted there",
					 target);
	}
	return 0;
}

/* The rest of path below the file system's target, or NULL. */
static const char *rest_below(const char *path, const char *target)
{
	size_t n = strlen(target);

	if (strncmp(path, target, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return NULL;
	return path[n] ? path + n + 1 : ".";
}

/* The last one made is the innermost. -EXDEV for what lies on no file system made here. */
static int open_made(const struct applying *a, const char *path)
{
	for (size_t i = a->made->n; i-- > 0;) {
		const char *rest = rest_below(path, a->made->list[i].target);

		if (rest)
			return file_open_exactly(a->made->list[i].fd, rest, O_PATH);
	}
	return -EXDEV;
}

static bool is_made(const struct applying *a, const char *path)
{
	for (size_t i = 0; i < a->made->n; i++)
		if (strcmp(a->made->list[i].target, path) == 0)
			return true;
	return false;
}

/* Puts what source shows over the target; both must exist. */
static int cover(const struct applying *a, int source)
{
	cleanup_fd int target = open_made(a, a->op->target);
	cleanup_fd int mount = -1;

	if (target == -ENOENT && (a->op->flags & ROOT_OPTIONAL))
		return 0;
	if (target < 0)
		return root_cannot(a, target, "open");
	if (source < 0)
		source = target;
	mount = a->way->show(target, source, root_attributes(a->op), -1);
	return mount < 0 ? root_cannot(a, mount, "cover") : 0;
}

/* A file system of its own needs no mount more. */
int root_apply_read_only(const struct applying *a)
{
	int r;

	if (!is_made(a, a->op->target))
		return cover(a, -1);
	for (size_t i = 0; i < a->made->n; i++)
		if (strcmp(a->made->list[i].target, a->op->target) == 0) {
			r = a->way->limit(a->made->list[i].fd, root_attributes(a->op));
			if (r < 0)
				return root_cannot(a, r, "make read-only");
		}
	return 0;
}

static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static bool is_directory(const struct stat *st)
{
	return S_ISDIR(st->st_mode);
}

static int mask(const struct applying *a, const char *with, bool (*is_right)(const struct stat *))
{
	cleanup_fd int source = open_made(a, with);
	struct stat st;

	if (source < 0)
		return error_set(a->err, -source, "cannot open '%s' to mask '%s' with", with,
				 a->op->target);
	if (fstat(source, &st) < 0 || !is_right(&st))
		return error_say(a->err, ERROR_FAILED,
				 "'%s' of the new root is not what can mask '%s'", with,
				 a->op->target);
	return cover(a, source);
}

int root_apply_mask_file(const struct applying *a)
{
	return mask(a, "/dev/null", is_null);
}

int root_apply_mask_directory(const struct applying *a)
{
	return mask(a, a->op->text, is_directory);
}
