/* SPDX-License-Identifier: Apache-2.0 */
/* Users of this host: the server's, and the one who called stint. */
#ifndef INSTANCE_ACCOUNT_H
#define INSTANCE_ACCOUNT_H

#include "base/error.h"
#include "keeper/message.h"

struct account {
	char *name, *group, *home;
	uid_t uid;
	gid_t gid;
	gid_t groups[START_GROUPS_MAX];
	uint32_t n_groups;
};

/*
 * By name, or by number when user is decimal digits: a number never names an account. A number
 * without an account is allowed, with the same number as group. ERROR_FAILED for an unknown
 * name; numbers of 2^32-1 and beyond are refused.
 */
int account_resolve(const char *user, struct account *ret_account, struct error *err);

/* The account that owns the file or directory. */
int account_of_owner(const char *path, struct account *ret_account, struct error *err);

/* Who called stint: SUDO_UID when root was reached through sudo, else the real user. */
int account_of_caller(struct account *ret_account, struct error *err);

/* Gives this process, a root's, the account's ids, groups and HOME, USER, LOGNAME. 0 or an errno.
 */
int account_become(const struct account *account);

void account_deinit(struct account *account);
#define cleanup_account cleanup(account_deinit)

#endif
