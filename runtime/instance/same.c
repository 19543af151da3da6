/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing objects; see same.h. In commands that read an upper directory on the host. */
#include "instance/same.h"
#include "instance/inspect.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define CHUNK (128 * 1024)

/* Fills the buffer unless the file ends before. */
static ssize_t read_full(int fd, char *buffer)
{
	size_t length = 0;

	while (length < CHUNK) {
		ssize_t n = read(fd, buffer + length, CHUNK - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

static int same_content(const struct found *a, const struct found *b)
{
	cleanup_fd int first = inspect_reopen(a->fd, O_RDONLY);
	cleanup_fd int second = inspect_reopen(b->fd, O_RDONLY);
	cleanup_free char *buffer = xcalloc(2, CHUNK);
	int64_t left = a->st.st_size;

	if (first < 0 || second < 0)
		return first < 0 ? first : second;
	/* both may grow as long as we read: more than what was there at first is no business of
	 * ours */
	while (left > 0) {
		ssize_t n = read_full(first, buffer), m = read_full(second, buffer + CHUNK);

		if (n < 0 || m < 0)
			return (int)(n < 0 ? n : m);
		if (n != m || memcmp(buffer, buffer + CHUNK, (size_t)n) != 0)
			return 0;
		if (n == 0)
			return 1;
		left -= n;
	}
	return 1;
}

static int same_target(const struct found *a, const struct found *b)
{
	cleanup_free char *first = NULL, *second = NULL;
	int r = inspect_readlink(a->fd, &first);

	if (r < 0)
		return r;
	r = inspect_readlink(b->fd, &second);
	if (r < 0)
		return r;
	return strcmp(first, second) == 0;
}

int same_object(const struct found *a, const struct found *b)
{
	if (a->st.st_mode != b->st.st_mode || a->st.st_uid != b->st.st_uid ||
	    a->st.st_gid != b->st.st_gid)
		return 0;
	if (S_ISREG(a->st.st_mode))
		return a->st.st_size == b->st.st_size ? same_content(a, b) : 0;
	if (S_ISLNK(a->st.st_mode))
		return same_target(a, b);
	return S_ISDIR(a->st.st_mode) || a->st.st_rdev == b->st.st_rdev;
}
