/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a template puts into the view: text, or copies of what the command has opened on the host;
 * see applying.h. No link of the host is followed: a tree's links are copied as they are.
 */
#include "rootfs/applying.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define MODE_DEFAULT 0644
#define DEPTH_MAX 64

static struct root_content content_of(const struct applying *a, int fd, mode_t mode)
{
	return (struct root_content){
		.fd = fd, .uid = root_host_uid(a), .gid = root_host_gid(a), .mode = mode};
}

static int copy_tree(const struct applying *a, int from, int to, int depth);

static int cannot_copy(const struct applying *a, int r, const char *name)
{
	cleanup_free char *what = xasprintf("copy '%s' of '%s' there", name, a->op->source);

	return root_cannot_change(a, r, what);
}

static int say_special(const struct applying *a, const char *name, mode_t mode)
{
	cleanup_free char *why = xasprintf("'%s' of '%s' is a %s and cannot be copied", name,
					   a->op->source, file_special_kind(mode));

	return root_say_change(a, why);
}

/* Owner and mode are set for what is made only. */
static int open_copy(const struct applying *a, int to, const char *name, mode_t mode)
{
	bool made = mkdirat(to, name, 0700) == 0;
	cleanup_fd int fd = -1;

	if (!made && errno != EEXIST)
		return -errno;
	fd = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (made && (fchown(fd, root_host_uid(a), root_host_gid(a)) < 0 || fchmod(fd, mode) < 0))
		return -errno;
	return steal_fd(&fd);
}

static int copy_directory(const struct applying *a, int source, mode_t mode, int to,
			  const char *name, int depth)
{
	cleanup_fd int copy = -1;

	if (depth > DEPTH_MAX)
		return cannot_copy(a, -ELOOP, name);
	copy = open_copy(a, to, name, mode);
	return copy < 0 ? cannot_copy(a, copy, name) : copy_tree(a, source, copy, depth);
}

static int copy_link(const struct applying *a, int from, int to, const char *name)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(from, name, text, sizeof(text) - 1);
	int r;

	if (n < 0)
		return cannot_copy(a, -errno, name);
	text[n] = '\0';
	r = root_put_link(to, name, text, root_host_uid(a), root_host_gid(a));
	return r < 0 ? cannot_copy(a, r, name) : 0;
}

static int copy_entry(const struct applying *a, int from, int to, const char *name, int depth)
{
	cleanup_fd int source = openat(from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct root_content content;
	struct stat st;
	int r;

	if (source < 0 || fstat(source, &st) < 0)
		return cannot_copy(a, -errno, name);
	if (S_ISLNK(st.st_mode))
		return copy_link(a, from, to, name);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return say_special(a, name, st.st_mode);
	close(source);
	source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (source < 0 || fstat(source, &st) < 0)
		return cannot_copy(a, -errno, name);
	if (S_ISDIR(st.st_mode))
		return copy_directory(a, source, st.st_mode & 0777, to, name, depth + 1);
	content = content_of(a, source, st.st_mode & 0777);
	r = root_put_file(to, name, &content);
	return r < 0 ? cannot_copy(a, r, name) : 0;
}

static int copy_tree(const struct applying *a, int from, int to, int depth)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return cannot_copy(a, -errno, ".");
	while (r == 0 && (errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = copy_entry(a, from, to, entry->d_name, depth);
	if (r == 0 && errno)
		r = cannot_copy(a, -errno, ".");
	return r;
}

static int put(const struct applying *a, int directory, const char *name)
{
	struct root_content content = content_of(a, -1, a->op->mode ? a->op->mode : MODE_DEFAULT);
	struct stat st;
	int r;

	content.data = a->op->text;
	content.length = a->op->text ? strlen(a->op->text) : 0;
	if (!a->op->text) {
		if (a->op->number >= a->owner->n_sources)
			return root_cannot_change(a, -EBADF, "read what is put there");
		content.fd = a->owner->sources[a->op->number];
		if (fstat(content.fd, &st) < 0)
			return root_cannot_change(a, -errno, "read what is put there");
		if (S_ISDIR(st.st_mode))
			return copy_directory(a, content.fd, st.st_mode & 0777, directory, name, 0);
	}
	r = root_put_file(directory, name, &content);
	return r < 0 ? root_cannot_change(a, r, "write it") : 0;
}

/* The directory that the target lies in, and its name there. */
static int open_parent(const struct applying *a, const char **ret_name)
{
	int fd = root_open_within(a, true, ret_name);

	return fd >= 0 || fd == -EXDEV
		       ? fd
		       : root_cannot_change(a, fd, "make the directory that it lies in");
}

int root_apply_put(const struct applying *a)
{
	const char *name;
	cleanup_fd int directory = open_parent(a, &name);

	return directory < 0 ? directory : put(a, directory, name);
}

int root_apply_link(const struct applying *a)
{
	const char *name;
	cleanup_fd int directory = open_parent(a, &name);
	int r;

	if (directory < 0)
		return directory;
	r = root_put_link(directory, name, a->op->text, root_host_uid(a), root_host_gid(a));
	return r < 0 ? root_cannot_change(a, r, "make the link that leads to it") : 0;
}
