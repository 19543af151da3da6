/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks; see clock.h. */
#include "base/clock.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

static int64_t now_on(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

int64_t clock_boottime_ns(void)
{
	return now_on(CLOCK_BOOTTIME);
}

int64_t clock_wall_ns(void)
{
	return now_on(CLOCK_REALTIME);
}

int clock_boot_id(char buffer[BOOT_ID_SIZE])
{
	cleanup_fd int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buffer, BOOT_ID_SIZE - 1);
	if (n < 0)
		return -errno;
	if (n != BOOT_ID_SIZE - 1)
		return -EIO;
	buffer[n] = '\0';
	return 0;
}
