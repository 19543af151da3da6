/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that decide what root does: opened only when nobody but trusted users could have written
 * them, or put others in their place. In commands, before such a file is read.
 */
#ifndef BASE_TRUST_H
#define BASE_TRUST_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* Root is always trusted. */
struct trust {
	uid_t uid;	/* who is trusted beside root */
	bool has_group; /* and the group that has no other member than uid, if there is one */
	gid_t group;
};

/*
 * Opens the regular file for reading. It and every directory on its real path must belong to a
 * trusted user; group and others may write to none of them, but for a trusted group, and but for
 * directories where only owners may rename and remove (sticky, as /tmp). ERROR_REFUSED names what
 * is wrong and says what to do; ERROR_NOT_FOUND when there is no such file.
 */
int trust_open(const char *path, const struct trust *trust, int *ret_fd, struct error *err);

#endif
