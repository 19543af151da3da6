/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file or link in place of another, by rename: as a whole or not at all; see applying.h. The name
 * it has until then may be taken by the install, so several are tried.
 */
#include "rootfs/applying.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define NAMES_MAX 64
#define BUFFER_SIZE (64 << 10)

struct name {
	char text[32];
};

static struct name name_of(int attempt)
{
	struct name name;

	snprintf(name.text, sizeof(name.text), ".stint-new-%d", attempt);
	return name;
}

static int copy_all(int from, int to)
{
	char buffer[BUFFER_SIZE];

	for (;;) {
		ssize_t n = read(from, buffer, sizeof(buffer));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		r = file_write_all(to, buffer, (size_t)n);
		if (r < 0)
			return r;
	}
}

static int fill(int fd, const struct root_content *content)
{
	int r = content->data ? file_write_all(fd, content->data, content->length)
			      : copy_all(content->fd, fd);

	if (r < 0)
		return r;
	return fchown(fd, content->uid, content->gid) < 0 || fchmod(fd, content->mode) < 0 ? -errno
											   : 0;
}

static int move(int directory, const char *from, const char *to, int r)
{
	if (r == 0 && renameat(directory, from, directory, to) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(directory, from, 0);
	return r;
}

int root_put_file(int directory, const char *name, const struct root_content *content)
{
	cleanup_fd int fd = -1;
	struct name new;

	for (int i = 0; fd < 0; i++) {
		new = name_of(i);
		fd = openat(directory, new.text, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0 && (errno != EEXIST || i == NAMES_MAX))
			return -errno;
	}
	return move(directory, new.text, name, fill(fd, content));
}

int root_put_link(int directory, const char *name, const char *text, uid_t uid, gid_t gid)
{
	struct name new;
	int r = -1;

	for (int i = 0; r < 0; i++) {
		new = name_of(i);
		r = symlinkat(text, directory, new.text);
		if (r < 0 && (errno != EEXIST || i == NAMES_MAX))
			return -errno;
	}
	r = fchownat(directory, new.text, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	return move(directory, new.text, name, r);
}
