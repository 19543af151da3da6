/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of an instance's own, tried out; see own_ids.h. */
#include "instance/own_ids.h"
#include "base/cleanup.h"
#include "base/filesystem.h"
#include "base/userns.h"
#include "rootfs/mount.h"
#include "rootfs/rootfs.h"

#include <errno.h>

static int explain(const char *path, int r, struct error *err)
{
	char unknown[FILE_SYSTEM_NAME_SIZE];
	struct statfs fs;

	if (r == -ENOSYS)
		return error_say(
			err, ERROR_FAILED,
			"owners cannot be mapped: the kernel, or a container around stint, "
			"refuses the call %s(2); it takes Linux 5.19",
			mount_refused_call());
	if (r == -EPERM)
		return error_set(err, -r, "owners cannot be mapped on '%s'", path);
	if (statfs(path, &fs) < 0)
		return error_set(err, errno, "cannot see '%s'", path);
	return error_say(err, ERROR_FAILED,
			 "owners cannot be mapped on '%s': this kernel has no idmapped mounts for "
			 "%s; put it on ext4, XFS or Btrfs",
			 path, file_system_name(&fs, unknown));
}

static int try_path(const char *path, int userns, struct error *err)
{
	int r = rootfs_can_idmap(path, userns);

	return r < 0 ? explain(path, r, err) : 0;
}

int own_ids_possible(const struct id_span *ids, char *const *directories, struct error *err)
{
	const struct userns_map map = {.base = ids->first};
	cleanup_fd int userns = -1;
	int r = userns_make(&map, &map, &userns, err);

	for (size_t i = 0; r == 0 && directories && directories[i]; i++)
		r = try_path(directories[i], userns, err);
	return r;
}
