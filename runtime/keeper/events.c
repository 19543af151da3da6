/* SPDX-License-Identifier: Apache-2.0 */
/* Adding to the file of events; see events.h. In commands and in the keeper. */
#include "keeper/events.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK 4096

/*
 * Offsets never move, so that a reader can follow while the beginning goes away. Two writers that
 * do this at the same time release the same blocks, or the one fewer than the other.
 */
static void release_oldest(int fd)
{
	struct stat st;
	off_t start, to;

	if (fstat(fd, &st) < 0 || st.st_size <= EVENTS_BYTES_MAX)
		return;
	start = lseek(fd, 0, SEEK_DATA);
	if (start < 0 || st.st_size - start <= EVENTS_BYTES_MAX)
		return;
	to = st.st_size - EVENTS_BYTES_MAX / 4 * 3;
	to -= to % BLOCK;
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, to) < 0)
		(void)!ftruncate(fd, 0);
}

void event_add(int dirfd, const char *path, const char *id, const char *event, const char *detail)
{
	cleanup_fd int fd =
		openat(dirfd, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	long long now = clock_wall_ns();
	cleanup_free char *line =
		xasprintf("%lld.%06lld o + %s %s %.*s\n", now / NSEC_PER_SEC,
			  now % NSEC_PER_SEC / 1000, id, event, (int)strcspn(detail, "\n"), detail);

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		return;
	release_oldest(fd);
}
