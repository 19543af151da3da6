/* SPDX-License-Identifier: Apache-2.0 */
/* Whose names the inside knows besides the server's user: further groups, owners of the install. */
#ifndef INSTANCE_RESIDENTS_H
#define INSTANCE_RESIDENTS_H

#include "instance/account.h"
#include "rootfs/rootfs.h"

#define RESIDENT_OWNERS_MAX 64

struct residents {
	struct rootfs_group groups[START_GROUPS_MAX];
	size_t n_groups;
	struct account accounts[RESIDENT_OWNERS_MAX];
	struct rootfs_account owners[RESIDENT_OWNERS_MAX]; /* the same for rootfs_compile() */
	size_t n_owners;
};

/* Looks the names up on the host. What cannot be looked up has none inside either. */
void residents_find(const struct account *server, char *const *install,
		    struct residents *ret_residents);
void residents_deinit(struct residents *residents);

#endif
