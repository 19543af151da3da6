/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts by descriptor; see mount.h. */
#include "rootfs/mount.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
	return 0;
}

int mount_context(const char *type)
{
	int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);

	return context < 0 ? -errno : context;
}

int mount_context_fd(int context, const char *key, int fd)
{
	if (syscall(SYS_fsconfig, context, FSCONFIG_SET_FD, key, NULL, fd) < 0)
		return -errno;
	return 0;
}

int mount_context_finish(int context, const char *options, uint64_t attributes)
{
	int r = configure(context, options), mount;

	if (r < 0)
		return r;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, (unsigned)attributes);
	return mount < 0 ? -errno : mount;
}

int mount_new(const char *type, const char *options, uint64_t attributes)
{
	cleanup_fd int context = mount_context(type);

	return context < 0 ? context : mount_context_finish(context, options, attributes);
}

static int set_attributes(int mount, const struct mount_attr *attr, unsigned flags)
{
	if (syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | flags, attr, sizeof(*attr)) < 0)
		return -errno;
	return 0;
}

static int clone_tree(int dirfd, const char *path, unsigned flags)
{
	int mount = (int)syscall(SYS_open_tree, dirfd, path,
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | flags);

	return mount < 0 ? -errno : mount;
}

int mount_clone(int dirfd, const char *path, uint64_t attributes)
{
	struct mount_attr attr = {.attr_set = attributes};
	cleanup_fd int mount = clone_tree(dirfd, path, AT_RECURSIVE);
	int r;

	if (mount < 0)
		return mount;
	r = attributes ? set_attributes(mount, &attr, AT_RECURSIVE) : 0;
	return r < 0 ? r : steal_fd(&mount);
}

int mount_clone_one(int dirfd, const char *path)
{
	return clone_tree(dirfd, path, 0);
}

int mount_idmap(int mount, int userns, unsigned flags)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns};

	return set_attributes(mount, &attr, flags);
}

int mount_attach(int mount, int target)
{
	if (syscall(SYS_move_mount, mount, "", target, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

int mount_detach(int mount)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", mount);
	return umount2(self, MNT_DETACH) < 0 ? -errno : 0;
}

static int make(int target, const char *type, const char *options, uint64_t attributes)
{
	cleanup_fd int mount = mount_new(type, options, attributes);
	int r = mount < 0 ? mount : mount_attach(mount, target);

	return r < 0 ? r : steal_fd(&mount);
}

static int show(int target, int source, uint64_t attributes, int userns)
{
	cleanup_fd int mount = mount_clone(source, "", attributes);
	int r;

	if (mount < 0)
		return mount;
	if (userns >= 0 && mount_idmap(mount, userns, AT_RECURSIVE) < 0)
		mount_idmap(mount, userns, 0);
	r = mount_attach(mount, target);
	return r < 0 ? r : steal_fd(&mount);
}

static int limit(int mount, uint64_t attributes)
{
	struct mount_attr attr = {.attr_set = attributes};

	return set_attributes(mount, &attr, 0);
}

const struct mount_way mount_by_descriptor = {make, show, limit};

/* Each call is asked for what it never does: a kernel that has it says EINVAL or EBADF. */
const char *mount_refused_call(void)
{
	static const struct {
		const char *name;
		long number;
		long args[5];
	} calls[] = {
		{"open_tree", SYS_open_tree, {-1, 0, -1, 0, 0}},
		{"move_mount", SYS_move_mount, {-1, 0, -1, 0, -1}},
		{"fsopen", SYS_fsopen, {0, -1, 0, 0, 0}},
		{"fsconfig", SYS_fsconfig, {-1, -1, 0, 0, 0}},
		{"fsmount", SYS_fsmount, {-1, -1, -1, 0, 0}},
		{"mount_setattr", SYS_mount_setattr, {-1, 0, -1, 0, 0}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const long *args = calls[i].args;

		syscall(calls[i].number, args[0], args[1], args[2], args[3], args[4]);
		if (errno == ENOSYS || errno == EPERM)
			return calls[i].name;
	}
	return NULL;
}
