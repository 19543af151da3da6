/* SPDX-License-Identifier: Apache-2.0 */
/* Files by directory descriptor; see file.h. */
#include "base/file.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

int file_read(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_length)
{
	cleanup_fd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	cleanup_free char *data = NULL;
	size_t length = 0, size = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n;

		if (length + 1 >= size) {
			size = size ? 2 * size : 4096;
			data = xrealloc(data, size, 1);
		}
		n = read(fd, data + length, size - length - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
		if (length > max)
			return -EFBIG;
	}
	data[length] = '\0';
	if (ret_length)
		*ret_length = length;
	*ret_data = steal_ptr(data);
	return 0;
}

const char *file_special_kind(mode_t mode)
{
	return S_ISFIFO(mode) ? "pipe" : S_ISSOCK(mode) ? "socket" : "device";
}

int file_write_all(int fd, const void *data, size_t length)
{
	const char *from = data;

	while (length > 0) {
		ssize_t n = write(fd, from, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		from += n;
		length -= (size_t)n;
	}
	return 0;
}

static int write_opened(int dirfd, const char *path, int flags, const void *data, size_t length,
			mode_t mode)
{
	cleanup_fd int fd = openat(dirfd, path, flags | O_WRONLY | O_CLOEXEC, mode);

	if (fd < 0)
		return -errno;
	return file_write_all(fd, data, length);
}

int file_write(int dirfd, const char *path, const char *data, mode_t mode)
{
	return write_opened(dirfd, path, O_CREAT | O_TRUNC | O_NOFOLLOW, data, strlen(data), mode);
}

int file_poke(int dirfd, const char *path, const char *data)
{
	return write_opened(dirfd, path, 0, data, strlen(data), 0);
}

int file_replace_bytes(int dirfd, const char *name, const void *data, size_t length, mode_t mode)
{
	cleanup_free char *temporary = xasprintf("%s.new", name);
	int r = write_opened(dirfd, temporary, O_CREAT | O_TRUNC | O_NOFOLLOW, data, length, mode);

	if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, temporary, 0);
	return r;
}

int file_replace(int dirfd, const char *name, const char *data, mode_t mode)
{
	return file_replace_bytes(dirfd, name, data, strlen(data), mode);
}

/* mkdir(2) says EEXIST of everything that is there. */
static int make_one(int dirfd, const char *path, mode_t mode)
{
	struct stat st;

	if (mkdirat(dirfd, path, mode) == 0)
		return 0;
	if (errno != EEXIST || fstatat(dirfd, path, &st, 0) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_make_directories(int dirfd, const char *path, mode_t mode)
{
	cleanup_free char *copy = xstrdup(path);

	if (!*copy)
		return -ENOENT;
	for (char *slash = copy + 1;; slash++) {
		char saved;
		int r;

		slash += strcspn(slash, "/");
		saved = *slash;
		*slash = '\0';
		r = make_one(dirfd, copy, mode);
		if (r < 0)
			return r;
		*slash = saved;
		if (!saved || !slash[1])
			return 0;
	}
}

bool file_is_readable(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};

	return fd >= 0 && poll(&polled, 1, 0) > 0;
}

int file_open_directory(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * A tenant may nest directories deeper than descriptors or the stack reach: what lies deeper than
 * this is moved up to the top of the tree and removed from there.
 */
#define REMOVE_DEPTH_MAX 64

struct removal {
	int top;	/* the directory that is being emptied */
	dev_t device;	/* of top; other file systems are left alone */
	unsigned moved; /* how many directories were moved up */
	int first;	/* the first failure */
};

static void remove_entry(struct removal *removal, int dirfd, const char *name, int depth);

static void note_failure(struct removal *removal, int r)
{
	if (removal->first == 0)
		removal->first = r;
}

/* Takes over dirfd. */
static void remove_contents(struct removal *removal, int dirfd, int depth)
{
	cleanup_dir DIR *dir = fdopendir(dirfd);
	struct dirent *entry;

	if (!dir) {
		note_failure(removal, -errno);
		close(dirfd);
		return;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove_entry(removal, dirfd, entry->d_name, depth + 1);
}

static bool is_gone(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return false;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return true;
	if (errno == ENOTDIR)
		errno = EPERM; /* an immutable file: the first answer was the one */
	return false;
}

/* The names may be taken: a tenant can know them, and be deep in one of that name. */
static void move_up(struct removal *removal, int dirfd, const char *name)
{
	int r;

	do {
		cleanup_free char *unique = xasprintf(".stint-deep-%u", removal->moved++);

		r = renameat(dirfd, name, removal->top, unique) < 0 ? -errno : 0;
	} while (r == -EEXIST || r == -ENOTEMPTY || r == -ENOTDIR);
	if (r < 0)
		note_failure(removal, r);
}

static void remove_entry(struct removal *removal, int dirfd, const char *name, int depth)
{
	struct stat st;
	int fd;

	if (is_gone(dirfd, name))
		return;
	if (errno != ENOTEMPTY && errno != EEXIST) {
		note_failure(removal, -errno);
		return;
	}
	if (depth > REMOVE_DEPTH_MAX) {
		move_up(removal, dirfd, name);
		return;
	}
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		note_failure(removal, -errno);
		return;
	}
	if (fstat(fd, &st) < 0 || st.st_dev != removal->device) {
		close(fd);
		note_failure(removal, -EXDEV);
		return;
	}
	remove_contents(removal, fd, depth);
	if (!is_gone(dirfd, name) && errno != ENOTEMPTY)
		note_failure(removal, -errno);
}

int file_remove_tree(int dirfd, const char *name)
{
	struct removal removal = {0};
	cleanup_fd int top = -1;
	unsigned before;
	struct stat st;

	if (is_gone(dirfd, name))
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	top = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0 || fstat(top, &st) < 0)
		return -errno;
	removal = (struct removal){.top = top, .device = st.st_dev};
	do {
		int round = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (round < 0)
			return -errno;
		before = removal.moved;
		remove_contents(&removal, round, 0);
	} while (removal.moved != before && removal.first == 0);
	if (is_gone(dirfd, name))
		return 0;
	return removal.first ? removal.first : -errno;
}

uint64_t file_read_number(const char *path)
{
	cleanup_free char *text = NULL;
	uint64_t value;

	if (file_read(AT_FDCWD, path, 64, &text, NULL) < 0 || !text)
		return UINT64_MAX;
	text[strcspn(text, "\n")] = '\0';
	return parse_number(text, UINT64_MAX, &value) < 0 ? UINT64_MAX : value;
}
