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

/*
 * How a root is put together: by the calls above, or by mount(2) alone where they are refused (a
 * kernel before Linux 5.12, a container whose filter does not know them). Each returns the
 * descriptor of what is mounted, or 0, or a negative errno; target is the descriptor of what is
 * covered.
 */
struct mount_way {
	int (*make)(int target, const char *type, const char *options, uint64_t attributes);
	/*
	 * Shows source, a descriptor too. By mount(2) what is mounted below it stays away, because
	 * that would keep its own attributes. Owners are mapped by userns, unless it is -1: for the
	 * whole tree where it can be done, else for its top, else not.
	 */
	int (*show)(int target, int source, uint64_t attributes, int userns);
	int (*limit)(int mount, uint64_t attributes);
};

extern const struct mount_way mount_by_descriptor;
extern const struct mount_way mount_by_path;

/* The name of a call that mount_by_descriptor needs and that is refused here; NULL: none is. */
const char *mount_refused_call(void);

#endif
