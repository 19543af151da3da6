/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts by descriptor (fsopen(2), open_tree(2), move_mount(2), mount_setattr(2)): nothing is
 * visible before it is complete with all its flags, and no target is a path that is resolved
 * twice. Runs inside only. Functions return 0 or a descriptor, or a negative errno.
 */
#ifndef ROOTFS_MOUNT_H
#define ROOTFS_MOUNT_H

#include <stdint.h>

/*
 * A detached mount of a new file system; options is "key=value,flag,..." or NULL; attributes are
 * MOUNT_ATTR_*.
 */
int mount_new(const char *type, const char *options, uint64_t attributes);

/* The same in parts: the context of a file system, options that are descriptors, the mount. */
int mount_context(const char *type);
int mount_context_fd(int context, const char *key, int fd);
int mount_context_finish(int context, const char *options, uint64_t attributes);

/* A detached copy of what dirfd/path shows, with everything mounted below it. */
int mount_clone(int dirfd, const char *path, uint64_t attributes);

/* The same without what is mounted below, and with the attributes of the original. */
int mount_clone_one(int dirfd, const char *path);

/*
 * Maps the owners of what a detached mount shows by the user namespace; flags may be AT_RECURSIVE.
 * -EINVAL when the file system cannot do it (mount_setattr(2), "ID-mapped mounts").
 */
int mount_idmap(int mount, int userns, unsigned flags);

/* Puts a detached mount on the object that target refers to. */
int mount_attach(int mount, int target);

/* Takes an attached mount away again, with what is mounted on it; descriptors stay usable. */
int mount_detach(int mount);

#endif
