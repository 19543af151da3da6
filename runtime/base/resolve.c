/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that must not leave a directory; see file.h. By openat2(2), and step by step where that
 * is refused (before Linux 5.6, or by a container's filter): each step opens one name without
 * following it, links are read and their text walked like the rest, and ".." goes back to the
 * directory that the walk came through, whatever was renamed meanwhile.
 */
#include "base/file.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/weaken.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#define LINKS_MAX 40 /* as the kernel has it */

struct walk {
	int *fds; /* from the first directory to where the walk is */
	size_t n;
	char *rest; /* what remains to be walked */
	unsigned links;
	uint64_t resolve; /* RESOLVE_* */
	int flags;
	mode_t mode;
};

static void enter(struct walk *walk, int fd)
{
	walk->fds = xrealloc(walk->fds, walk->n + 1, sizeof(*walk->fds));
	walk->fds[walk->n++] = fd;
}

static int here(const struct walk *walk)
{
	return walk->fds[walk->n - 1];
}

static int go_to_top(struct walk *walk)
{
	if (!(walk->resolve & RESOLVE_IN_ROOT))
		return -EXDEV;
	while (walk->n > 1)
		close(walk->fds[--walk->n]);
	return 0;
}

static int go_up(struct walk *walk)
{
	if (walk->n > 1)
		close(walk->fds[--walk->n]);
	else if (!(walk->resolve & RESOLVE_IN_ROOT))
		return -EXDEV;
	return 0;
}

/* Links of procfs whose text only describes where they lead, as fd/3 and ns/net do. */
static bool is_magic(int fd, const char *text)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
	       (text[0] == '/' || strchr(text, ':'));
}

/* Puts the link's text before what remains. */
static int follow(struct walk *walk, int link, bool is_directory)
{
	char text[PATH_MAX], *joined;
	ssize_t n;

	if ((walk->resolve & RESOLVE_NO_SYMLINKS) || ++walk->links > LINKS_MAX)
		return -ELOOP;
	n = readlinkat(link, "", text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (is_magic(link, text))
		return -ELOOP;
	/* a slash at the end asks for a directory, so it is there only when it was */
	joined = xasprintf("%s%s%s", text, is_directory ? "/" : "", walk->rest);
	free(walk->rest);
	walk->rest = joined;
	return text[0] == '/' ? go_to_top(walk) : 0;
}

/* Before Linux 5.8 a mount is told from another by its file system only. */
static int check_mount(const struct walk *walk, int fd)
{
	const unsigned wanted = STATX_INO | STATX_MNT_ID;
	struct statx first, st;

	if (!(walk->resolve & RESOLVE_NO_XDEV))
		return 0;
	if (statx(walk->fds[0], "", AT_EMPTY_PATH, wanted, &first) < 0 ||
	    statx(fd, "", AT_EMPTY_PATH, wanted, &st) < 0)
		return -errno;
	if (first.stx_dev_major != st.stx_dev_major || first.stx_dev_minor != st.stx_dev_minor)
		return -EXDEV;
	if ((st.stx_mask & STATX_MNT_ID) && first.stx_mnt_id != st.stx_mnt_id)
		return -EXDEV;
	return 0;
}

/* The last step: what the flags say happens to what is there, or is made. */
static int open_last(struct walk *walk, const char *name, bool is_directory)
{
	int flags = walk->flags | (is_directory ? O_DIRECTORY : 0);
	cleanup_fd int fd = openat(here(walk), name, flags | O_NOFOLLOW | O_CLOEXEC, walk->mode);
	int r;

	if (fd < 0)
		return -errno;
	r = check_mount(walk, fd);
	return r < 0 ? r : steal_fd(&fd);
}

/* Returns the descriptor when the walk is over, -EAGAIN when it goes on. */
static int step(struct walk *walk, const char *name, bool is_last, bool is_directory)
{
	bool follows = !is_last || is_directory || !(walk->flags & O_NOFOLLOW);
	cleanup_fd int fd = openat(here(walk), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return is_last && errno == ENOENT ? open_last(walk, name, is_directory) : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && (follows || (walk->resolve & RESOLVE_NO_SYMLINKS))) {
		/* O_CREAT with O_EXCL is about the name, whatever it leads to */
		if (is_last && (walk->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
			return -EEXIST;
		r = follow(walk, fd, is_directory);
		return r < 0 ? r : -EAGAIN;
	}
	if (is_last)
		return open_last(walk, name, is_directory);
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	r = check_mount(walk, fd);
	if (r == 0)
		enter(walk, steal_fd(&fd));
	return r < 0 ? r : -EAGAIN;
}

/* Takes the next name off what remains. */
static int advance(struct walk *walk)
{
	cleanup_free char *path = steal_ptr(walk->rest);
	char *name = path + strspn(path, "/"), *end = name + strcspn(name, "/");
	char *rest = end + strspn(end, "/");
	bool is_last = !*rest, is_directory = *end == '/';

	walk->rest = xstrdup(rest);
	*end = '\0';
	if (strcmp(name, "..") == 0) {
		int r = go_up(walk);

		return r < 0 ? r : is_last ? open_last(walk, ".", true) : -EAGAIN;
	}
	if (!*name || strcmp(name, ".") == 0)
		return is_last ? open_last(walk, ".", true) : -EAGAIN;
	return step(walk, name, is_last, is_directory);
}

static int open_by_steps(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct walk walk = {.resolve = resolve, .flags = flags, .mode = mode};
	int first = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC), r;

	if (first < 0)
		return -errno;
	enter(&walk, first);
	walk.rest = xstrdup(path);
	r = *path ? 0 : -ENOENT;
	if (r == 0 && *path == '/')
		r = go_to_top(&walk);
	if (r == 0)
		do
			r = advance(&walk);
		while (r == -EAGAIN);
	while (walk.n > 0)
		close(walk.fds[--walk.n]);
	free(walk.fds);
	free(walk.rest);
	return r;
}

static int open_resolved(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		/* O_TMPFILE contains O_DIRECTORY, with which alone a mode is refused */
		.mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? mode : 0,
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	if (weakened("resolve")) {
		path += strspn(path, "/");
		fd = openat(dirfd, *path ? path : ".", flags | O_CLOEXEC, mode);
		return fd < 0 ? -errno : fd;
	}
	/* EAGAIN: somebody renamed a directory on the way; the kernel asks to try again */
	for (int tries = 0; tries < 128; tries++) {
		fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	/* a filter that does not know the call says EPERM; where that was meant, it is said again
	 */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return open_by_steps(dirfd, path, flags, mode, resolve);
	return fd < 0 ? -errno : fd;
}

int file_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	return open_resolved(dirfd, path, flags, mode, RESOLVE_BENEATH);
}

int file_open_in_root(int dirfd, const char *path, int flags, mode_t mode)
{
	return open_resolved(dirfd, path, flags, mode, RESOLVE_IN_ROOT);
}

int file_open_exactly(int dirfd, const char *path, int flags)
{
	return open_resolved(dirfd, path, flags, 0,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}
