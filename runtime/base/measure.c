/* SPDX-License-Identifier: Apache-2.0 */
/* Adding up a directory; see measure.h. In the command that ends an instance. */
#include "base/measure.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 64
#define BLOCK 512 /* of st_blocks, whatever the file system's are */

struct measuring {
	dev_t device;
	size_t left; /* entries */
	int64_t bytes;
};

static int measure_directory(struct measuring *m, int dirfd, const char *name, int depth);

static int measure_entry(struct measuring *m, int dirfd, const char *name, int depth)
{
	struct stat st;

	if (m->left-- == 0 || depth > DEPTH_MAX) {
		m->left = 0;
		return -E2BIG;
	}
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (st.st_dev != m->device)
		return 0;
	m->bytes += (int64_t)st.st_blocks * BLOCK;
	return S_ISDIR(st.st_mode) ? measure_directory(m, dirfd, name, depth) : 0;
}

static int measure_directory(struct measuring *m, int dirfd, const char *name, int depth)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		cleanup_close(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = measure_entry(m, fd, entry->d_name, depth + 1);
	return r;
}

int64_t measure_tree(int dirfd, const char *name, size_t max_entries)
{
	struct measuring m = {.left = max_entries};
	struct stat st;
	int r;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	m.device = st.st_dev;
	r = measure_entry(&m, dirfd, name, 0);
	return r < 0 ? r : m.bytes;
}
