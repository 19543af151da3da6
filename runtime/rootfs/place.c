/* SPDX-License-Identifier: Apache-2.0 */
/* Places of the new root and what is put on them; see applying.h. */
#include "rootfs/applying.h"
#include "rootfs/mount.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/filesystem.h"
#include "base/weaken.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

int root_cannot(const struct applying *a, int r, const char *what)
{
	if (a->op->source)
		return error_set(a->err, -r, "cannot %s '%s' at '%s'", what, a->op->source,
				 a->op->target);
	return error_set(a->err, -r, "cannot %s '%s'", what, a->op->target);
}

int root_cannot_map(const struct applying *a, int r, const char *path, int fd)
{
	char unknown[FILE_SYSTEM_NAME_SIZE];
	struct statfs fs;

	if (r != -EINVAL || fstatfs(fd, &fs) < 0)
		return error_set(a->err, -r, "cannot map the owners of '%s'", path);
	error_say(a->err, ERROR_FAILED,
		  "cannot map the owners of '%s': this kernel cannot do it on %s; keep it on a "
		  "local disk with ext4, XFS or Btrfs, or go without a user namespace with "
		  "--best-effort",
		  path, file_system_name(&fs, unknown));
	return error_with_code(a->err, r);
}

bool root_has_ids(const struct applying *a)
{
	return a->owner->uids && a->owner->uids->base;
}

int root_origin(const struct applying *a)
{
	return a->op->flags & ROOT_IN_POOL ? a->owner->pool : AT_FDCWD;
}

/* Opens a directory of the new root, made with all its parents when it is not there. */
static int open_directory(int root, const char *path)
{
	int fd = file_open_in_root(root, path, O_PATH | O_DIRECTORY, 0);
	cleanup_free char *parent = NULL;
	cleanup_fd int parent_fd = -1;
	char *slash;

	if (fd != -ENOENT)
		return fd;
	parent = xstrdup(path);
	slash = strrchr(parent, '/');
	if (!slash || !slash[1])
		return -EINVAL;
	*slash = '\0';
	parent_fd = open_directory(root, slash == parent ? "/" : parent);
	if (parent_fd < 0)
		return parent_fd;
	if (mkdirat(parent_fd, slash + 1, 0755) < 0 && errno != EEXIST)
		return -errno;
	return file_open_in_root(root, path, O_PATH | O_DIRECTORY, 0);
}

int root_open_directory(const struct applying *a)
{
	return open_directory(a->root, a->op->target);
}

int root_open_parent(const struct applying *a, const char **ret_name)
{
	const char *slash = strrchr(a->op->target, '/');
	cleanup_free char *parent = NULL;

	if (!slash || !slash[1])
		return -EINVAL;
	parent = xasprintf("%.*s", (int)(slash - a->op->target), a->op->target);
	*ret_name = slash + 1;
	return open_directory(a->root, *parent ? parent : "/");
}

int root_open_file(const struct applying *a)
{
	const char *name;
	cleanup_fd int parent = root_open_parent(a, &name);
	cleanup_fd int made = -1;

	if (parent < 0)
		return parent;
	made = openat(parent, name, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (made < 0 && errno != EROFS)
		return -errno;
	return file_open_in_root(a->root, a->op->target, O_PATH, 0);
}

uint64_t root_attributes(const struct root_op *op)
{
	uint64_t attributes = weakened("nosuid") ? 0 : MOUNT_ATTR_NOSUID;

	if (!(op->flags & ROOT_HAS_DEVICES) && !weakened("nodev"))
		attributes |= MOUNT_ATTR_NODEV;
	if (op->flags & ROOT_NOEXEC)
		attributes |= MOUNT_ATTR_NOEXEC;
	if (!(op->flags & ROOT_WRITABLE))
		attributes |= MOUNT_ATTR_RDONLY;
	return attributes;
}
