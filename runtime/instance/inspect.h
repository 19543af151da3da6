/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening what a tenant may have made or may be changing: an object is looked at before it is
 * opened, through a descriptor that cannot become another object meanwhile. A FIFO would block, and
 * opening a device can do anything. Functions return 0 or a descriptor, or a negative errno.
 */
#ifndef INSTANCE_INSPECT_H
#define INSTANCE_INSPECT_H

#include <stdbool.h>
#include <sys/stat.h>

/* An O_PATH descriptor of name itself, which has no slash; links are not followed. */
int inspect_open(int dirfd, const char *name, struct stat *ret_st);

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
