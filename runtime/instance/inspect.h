/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening what a tenant may have made or may be changing: an object is looked at before it is
 * opened, through a descriptor that cannot become another object meanwhile. A FIFO would block, and
 * opening a device can do anything. Functions return 0 or a descriptor, or a negative errno.
 */
#ifndef INSTANCE_INSPECT_H
#define INSTANCE_INSPECT_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <sys/stat.h>

/* A found object: an O_PATH descriptor and what fstat says of it; fd -1: there is none. */
struct found {
	int fd;
	struct stat st;
};

void found_close(struct found *found);
#define cleanup_found cleanup(found_close)

/* An O_PATH descriptor of name itself, which has no slash; links are not followed. */
int inspect_open(int dirfd, const char *name, struct stat *ret_st);

/* The same; what does not exist, also because dirfd is -1, is none. 0 or a negative errno. */
int inspect_find(int dirfd, const char *name, struct found *ret_found);

/* The names in the directory behind an O_PATH descriptor. The caller frees with strv_free. */
int inspect_names(int fd, char ***ret_names);

/* The regular file or directory behind an O_PATH descriptor, opened with the caller's rights. */
int inspect_reopen(int fd, int flags);

/* The target of the symbolic link behind an O_PATH descriptor. The caller frees. */
int inspect_readlink(int fd, char **ret_target);

/*
 * True for /proc, /sys, control groups, terminals and the like, where reading and writing mean
 * something to the kernel. A link of a tenant must not lead root's hand there.
 */
bool inspect_is_kernel_view(int fd);

#endif
