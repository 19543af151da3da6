/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way by mount(2), which takes paths: those of descriptors, /proc/self/fd/N, lead to what is
 * covered, and what covers it is opened by its name and recognized; see struct mount_way.
 */
#include "rootfs/mount.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

struct name {
	char of[32];
};

static struct name name_of(int fd)
{
	struct name name;

	snprintf(name.of, sizeof(name.of), "/proc/self/fd/%d", fd);
	return name;
}

static unsigned long flags_of(uint64_t attributes)
{
	static const struct {
		uint64_t attribute;
		unsigned long flag;
	} pairs[] = {
		{MOUNT_ATTR_RDONLY, MS_RDONLY},
		{MOUNT_ATTR_NOSUID, MS_NOSUID},
		{MOUNT_ATTR_NODEV, MS_NODEV},
		{MOUNT_ATTR_NOEXEC, MS_NOEXEC},
	};
	unsigned long flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (attributes & pairs[i].attribute)
			flags |= pairs[i].flag;
	return flags;
}

/* A descriptor leads below what was mounted on it; the name leads above. */
static int open_above(int covered)
{
	struct name name = name_of(covered);
	char path[PATH_MAX];
	ssize_t n = readlink(name.of, path, sizeof(path) - 1);
	int fd;

	if (n < 0)
		return -errno;
	path[n] = '\0';
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int make(int target, const char *type, const char *options, uint64_t attributes)
{
	struct name name = name_of(target);
	cleanup_fd int above = -1;
	struct stat old, new;

	if (mount(type, name.of, type, flags_of(attributes), options) < 0)
		return -errno;
	above = open_above(target);
	if (above < 0)
		return above;
	if (fstat(target, &old) < 0 || fstat(above, &new) < 0)
		return -errno;
	return old.st_dev == new.st_dev ? -ESTALE : steal_fd(&above);
}

/* What the mount has already stays: it may come from a mount of the host that nobody may execute.
 */
static int limit(int mount_fd, uint64_t attributes)
{
	struct name name = name_of(mount_fd);
	unsigned long flags = MS_REMOUNT | MS_BIND | flags_of(attributes);
	struct statvfs fs;

	if (fstatvfs(mount_fd, &fs) < 0)
		return -errno;
	/* the flags of statvfs(3) are those of mount(2), as far as both know them */
	flags |= fs.f_flag &
		 (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
	return mount(NULL, name.of, NULL, flags, NULL) < 0 ? -errno : 0;
}

static int show(int target, int source, uint64_t attributes, int userns)
{
	struct name from = name_of(source), at = name_of(target);
	cleanup_fd int above = -1;
	struct stat wanted, shown;
	int r;

	if (userns >= 0)
		return -ENOSYS;
	if (mount(from.of, at.of, NULL, MS_BIND, NULL) < 0)
		return -errno;
	above = open_above(target);
	if (above < 0)
		return above;
	if (fstat(source, &wanted) < 0 || fstat(above, &shown) < 0)
		return -errno;
	if (wanted.st_dev != shown.st_dev || wanted.st_ino != shown.st_ino)
		return -ESTALE;
	r = limit(above, attributes);
	return r < 0 ? r : steal_fd(&above);
}

const struct mount_way mount_by_path = {make, show, limit};
