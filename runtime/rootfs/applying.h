/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the parts of root_apply() (inside.h): the operation at hand, the places of the new root
 * and what is put on them. Functions return 0 or a descriptor, or a negative errno; what is
 * missing on the way to a place is made.
 */
#ifndef ROOTFS_APPLYING_H
#define ROOTFS_APPLYING_H

#include "rootfs/inside.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct applying {
	int root; /* of the new tree, attached */
	const struct root_owner *owner;
	const struct root_op *op;
	struct error *err;
};

/* "cannot WHAT 'source' at 'target'" with the negative errno r, which it returns. */
int root_cannot(const struct applying *a, int r, const char *what);

/* Whether the instance has ids of its own. */
bool root_has_ids(const struct applying *a);

/* Where the host's paths that may be ROOT_IN_POOL begin: a directory's descriptor, or AT_FDCWD. */
int root_origin(const struct applying *a);

/* The directory of the target, and the parent with the target's last component. */
int root_open_directory(const struct applying *a);
int root_open_parent(const struct applying *a, const char **ret_name);

/* Puts a detached mount, or passes on a negative errno, to the target, made to fit. */
int root_attach(const struct applying *a, int mount);

/* The MOUNT_ATTR_* that the flags of the operation mean. */
uint64_t root_attributes(const struct root_op *op);

/* ROOT_OVERLAY. */
int root_apply_overlay(const struct applying *a);

/* What the process had before root_own(). */
struct root_credentials {
	uint32_t effective[2];
	uid_t uid;
	gid_t gid;
};

/*
 * Makes files and file systems from here on belong to root inside, without the capability to
 * write into what a disk keeps for root; root_disown() takes it back.
 */
int root_own(const struct root_owner *owner, struct root_credentials *ret_before,
	     struct error *err);
int root_disown(const struct root_credentials *before, struct error *err);

#endif
