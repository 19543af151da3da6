/* SPDX-License-Identifier: Apache-2.0 */
/* One file of a copied tree; see tree_file.h. */
#include "install/tree_file.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PORTION (8U << 20)
#define BUFFER_SIZE (256U << 10)
#define OVERLAY "trusted.overlay."

int tree_file_clone(int from, int to)
{
	return ioctl(to, FICLONE, from) < 0 ? -errno : 0;
}

/* Where the kernel cannot copy by itself. Both files stand at the same place. */
static int copy_by_hand(int from, int to, uint64_t left)
{
	cleanup_free char *buffer = xcalloc(1, BUFFER_SIZE);

	while (left > 0) {
		size_t wanted = left < BUFFER_SIZE ? left : BUFFER_SIZE;
		ssize_t n = read(from, buffer, wanted);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno
				     : 0; /* shorter than it was: noticed by whoever asked */
		r = file_write_all(to, buffer, (size_t)n);
		if (r < 0)
			return r;
		left -= (uint64_t)n;
	}
	return 0;
}

static int copy_range(int from, int to, uint64_t begin, uint64_t end, int cancel)
{
	off_t at = (off_t)begin, there = (off_t)begin;

	while ((uint64_t)at < end) {
		size_t wanted =
			end - (uint64_t)at < PORTION ? (size_t)(end - (uint64_t)at) : PORTION;
		ssize_t n = copy_file_range(from, &at, to, &there, wanted, 0);

		if (file_is_readable(cancel))
			return -ECANCELED;
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			return 0;
		if (n < 0 && errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP &&
		    errno != ENOSYS)
			return -errno;
		if (n > 0)
			continue;
		if (lseek(from, at, SEEK_SET) < 0 || lseek(to, at, SEEK_SET) < 0)
			return -errno;
		return copy_by_hand(from, to, end - (uint64_t)at);
	}
	return 0;
}

static bool may_have_holes(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_blocks * 512 < st.st_size;
}

int tree_file_copy(int from, int to, uint64_t size, int cancel)
{
	uint64_t at = 0;
	int r = 0;

	if (!may_have_holes(from))
		return copy_range(from, to, 0, size, cancel);
	while (r == 0 && at < size) {
		off_t data = lseek(from, (off_t)at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO)
			break;
		hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		r = copy_range(from, to, (uint64_t)data, (uint64_t)hole, cancel);
		at = (uint64_t)hole;
	}
	if (r == 0 && ftruncate(to, (off_t)size) < 0)
		r = -errno;
	return r;
}

static int copy_attribute(int from, int to, const char *name)
{
	ssize_t size = fgetxattr(from, name, NULL, 0);
	cleanup_free char *value = xcalloc(1, size > 0 ? (size_t)size : 1);

	if (strncmp(name, OVERLAY, strlen(OVERLAY)) == 0)
		return -EUCLEAN;
	if (size < 0)
		return -errno;
	size = fgetxattr(from, name, value, (size_t)size);
	if (size < 0)
		return -errno;
	return fsetxattr(to, name, value, (size_t)size, 0) < 0 ? -errno : 0;
}

static int copy_all_attributes(int from, int to)
{
	ssize_t size = flistxattr(from, NULL, 0);
	cleanup_free char *names = NULL;

	if (size <= 0)
		return size < 0 && errno != EOPNOTSUPP ? -errno : 0;
	names = xcalloc(1, (size_t)size + 1);
	size = flistxattr(from, names, (size_t)size);
	if (size < 0)
		return -errno;
	for (const char *name = names; name < names + size; name += strlen(name) + 1) {
		int r = copy_attribute(from, to, name);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The time of the last access is nobody's business. */
static void times_of(const struct manifest_entry *entry, struct timespec times[2])
{
	times[1] = (struct timespec){.tv_sec = entry->mtime_ns / NSEC_PER_SEC,
				     .tv_nsec = entry->mtime_ns % NSEC_PER_SEC};
	if (times[1].tv_nsec < 0) { /* before 1970 */
		times[1].tv_nsec += NSEC_PER_SEC;
		times[1].tv_sec--;
	}
	times[0] = times[1];
}

/* A change of the owner takes set-user-id bits and capabilities away: they come after it. */
int tree_file_attributes(int from, int to, const struct manifest_entry *entry)
{
	struct timespec times[2];
	int r;

	if (fchown(to, entry->uid, entry->gid) < 0 || fchmod(to, entry->mode & 07777) < 0)
		return -errno;
	r = copy_all_attributes(from, to);
	times_of(entry, times);
	if (r == 0 && futimens(to, times) < 0)
		r = -errno;
	return r;
}

int tree_file_owner(int to, const struct manifest_entry *entry)
{
	struct timespec times[2];

	if (fchownat(to, entry->path, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!entry->link && fchmodat(to, entry->path, entry->mode & 07777, 0) < 0)
		return -errno;
	times_of(entry, times);
	return utimensat(to, entry->path, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}
