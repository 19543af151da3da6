/* SPDX-License-Identifier: Apache-2.0 */
/* Loop devices; see loop_device.h. */
#include "base/loop_device.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define ATTEMPTS 256

/* Somebody else may take the free device between the two questions. */
int loop_device_attach(int file, bool read_only, char *path, size_t size, struct error *err)
{
	cleanup_fd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	struct loop_config config = {.fd = (uint32_t)file,
				     .info.lo_flags = LO_FLAGS_AUTOCLEAR |
						      (read_only ? LO_FLAGS_READ_ONLY : 0U)};

	if (control < 0)
		return error_set(err, errno, "cannot open '/dev/loop-control'");
	for (int i = 0; i < ATTEMPTS; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);
		cleanup_fd int loop = -1;

		if (number < 0)
			return error_set(err, errno, "cannot find a free loop device");
		snprintf(path, size, "/dev/loop%d", number);
		loop = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
		if (loop >= 0 && ioctl(loop, LOOP_CONFIGURE, &config) == 0)
			return steal_fd(&loop);
		if (errno != EBUSY)
			return error_set(err, errno, "cannot use '%s'", path);
	}
	return error_set(err, EBUSY, "cannot find a free loop device");
}

/* The device, open, if it is one of that file that nobody can write to. */
static int open_if_of(const char *name, const struct stat *file)
{
	cleanup_free char *path = xasprintf("/dev/%s", name);
	cleanup_fd int loop = open(path, O_RDONLY | O_CLOEXEC);
	struct loop_info64 info;

	if (loop < 0 || ioctl(loop, LOOP_GET_STATUS64, &info) < 0 ||
	    info.lo_device != file->st_dev || info.lo_inode != file->st_ino || info.lo_offset ||
	    info.lo_sizelimit || !(info.lo_flags & LO_FLAGS_READ_ONLY))
		return -1;
	return steal_fd(&loop);
}

static bool is_in_use(const char *name)
{
	cleanup_free char *path = xasprintf("/sys/block/%s/loop", name);

	return access(path, F_OK) == 0;
}

int loop_device_share(int file, struct error *err)
{
	cleanup_dir DIR *dir = opendir("/sys/block");
	struct dirent *entry;
	struct stat st;
	char path[64];

	if (fstat(file, &st) < 0)
		return error_set(err, errno, "cannot look at the image");
	while (dir && (entry = readdir(dir))) {
		int loop = strncmp(entry->d_name, "loop", 4) == 0 && is_in_use(entry->d_name)
				   ? open_if_of(entry->d_name, &st)
				   : -1;

		if (loop >= 0)
			return loop;
	}
	return loop_device_attach(file, true, path, sizeof(path), err);
}
