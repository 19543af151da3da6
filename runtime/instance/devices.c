/* SPDX-License-Identifier: Apache-2.0 */
/* From a directory to the disk it is on; see devices.h. In the command that starts an instance. */
#include "instance/devices.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

static bool is_in_memory(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/* Only whole disks can be throttled: the directory above a partition's in sysfs is its disk's. */
static char *whole_disk(unsigned major, unsigned minor)
{
	cleanup_free char *partition = xasprintf("/sys/dev/block/%u:%u/partition", major, minor);
	cleanup_free char *above = xasprintf("/sys/dev/block/%u:%u/../dev", major, minor);
	char *device = NULL;

	if (access(partition, F_OK) < 0 || file_read(AT_FDCWD, above, 64, &device, NULL) < 0)
		return xasprintf("%u:%u", major, minor);
	device[strcspn(device, "\n")] = '\0';
	return device;
}

char *device_add(const char *path, char ***devices)
{
	cleanup_free char *device = NULL;
	struct stat st;

	if (stat(path, &st) < 0)
		return xasprintf("cannot see '%s': %s", path, strerror(errno));
	if (is_in_memory(path))
		return NULL;
	if (major(st.st_dev) == 0)
		return xasprintf("'%s' is on a file system without a block device of its own",
				 path);
	device = whole_disk(major(st.st_dev), minor(st.st_dev));
	if (!strv_contains(*devices, device))
		strv_add(devices, device);
	return NULL;
}
