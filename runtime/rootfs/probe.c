/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel and a file system can do for a root, tried out on the host; see rootfs.h. */
#include "rootfs/rootfs.h"
#include "rootfs/mount.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>

int rootfs_can_idmap(const char *path, int userns)
{
	cleanup_fd int mount = -1;

	if (mount_refused_call())
		return -ENOSYS;
	mount = mount_clone_one(AT_FDCWD, path);
	return mount < 0 ? mount : mount_idmap(mount, userns, 0);
}
