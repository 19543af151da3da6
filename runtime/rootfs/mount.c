/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts by descriptor; see mount.h. */
#include "rootfs/mount.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>

static int configure(int context, const char *options)
{
	cleanup_free char *copy = xstrdup(options ? options : "");
	char *rest = copy, *option;

	while ((option = strsep(&rest, ","))) {
		char *value = strchr(option, '=');
		unsigned command = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (!*option)
			continue;
		if (value)
			*value++ = '\0';
		if (syscall(SYS_fsconfig, context, command, option, value, 0) < 0)
			return -errno;
	}
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	return 0;
}

int mount_new(const char *type, const char *options, uint64_t attributes)
{
	cleanup_fd int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	int r, mount;

	if (context < 0)
		return -errno;
	r = configure(context, options);
	if (r < 0)
		return r;
	mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, (unsigned)attributes);
	return mount < 0 ? -errno : mount;
}

int mount_clone(int dirfd, const char *path, uint64_t attributes)
{
	struct mount_attr attr = {.attr_set = attributes};
	cleanup_fd int mount = (int)syscall(
		SYS_open_tree, dirfd, path,
		(unsigned)(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH));

	if (mount < 0)
		return -errno;
	if (attributes &&
	    syscall(SYS_mount_setattr, mount, "", (unsigned)(AT_EMPTY_PATH | AT_RECURSIVE), &attr,
		    sizeof(attr)) < 0)
		return -errno;
	return steal_fd(&mount);
}

int mount_attach(int mount, int target)
{
	if (syscall(SYS_move_mount, mount, "", target, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}
