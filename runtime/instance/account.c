/* SPDX-License-Identifier: Apache-2.0 */
/* Users of this host; see account.h. Before anything of an instance exists. */
#include "instance/account.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void set_group_name(struct account *account)
{
	struct group *group = getgrgid(account->gid);

	account->group = group ? xstrdup(group->gr_name) : xasprintf("%u", account->gid);
}

static void fill_from(const struct passwd *entry, struct account *account)
{
	int n = START_GROUPS_MAX;

	*account = (struct account){
		.name = xstrdup(entry->pw_name),
		.home = xstrdup(entry->pw_dir && *entry->pw_dir == '/' ? entry->pw_dir : "/"),
		.uid = entry->pw_uid,
		.gid = entry->pw_gid,
	};
	set_group_name(account);
	/* more groups than fit: the first ones, never none */
	getgrouplist(account->name, account->gid, account->groups, &n);
	account->n_groups = (uint32_t)(n < START_GROUPS_MAX ? n : START_GROUPS_MAX);
}

/* gid: of somebody whom the host has no name for. */
static void fill_from_number(uid_t uid, gid_t gid, struct account *account)
{
	struct passwd *entry = getpwuid(uid);

	if (entry) {
		fill_from(entry, account);
		return;
	}
	*account = (struct account){
		.name = xasprintf("%u", uid), .home = xstrdup("/"), .uid = uid, .gid = gid};
	set_group_name(account);
	account->groups[account->n_groups++] = gid;
}

int account_resolve(const char *user, struct account *ret_account, struct error *err)
{
	struct passwd *entry;
	uint64_t number;
	int r = parse_number(user, UINT32_MAX - 1, &number);

	if (r == -ERANGE)
		return error_say(err, ERROR_FAILED, "user number '%s' is too large", user);
	if (r == 0) {
		fill_from_number((uid_t)number, (gid_t)number, ret_account);
		return 0;
	}
	errno = 0;
	entry = getpwnam(user);
	if (!entry)
		return error_say(err, ERROR_FAILED,
				 "user '%s' does not exist on this host; create it, or set "
				 "'run: user:' in the template",
				 user);
	fill_from(entry, ret_account);
	return 0;
}

int account_of_owner(const char *path, struct account *ret_account, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_set(err, errno, "cannot see who owns '%s'", path);
	fill_from_number(st.st_uid, st.st_gid, ret_account);
	return 0;
}

int account_of_caller(struct account *ret_account, struct error *err)
{
	const char *sudo = getenv("SUDO_UID");
	uint64_t number = getuid();

	if (sudo && getuid() == 0 && parse_number(sudo, UINT32_MAX - 1, &number) < 0)
		return error_say(err, ERROR_REFUSED, "SUDO_UID '%s' is no user number", sudo);
	fill_from_number((uid_t)number, (gid_t)number, ret_account);
	return 0;
}

int account_become(const struct account *account)
{
	if (account->uid == geteuid())
		return 0;
	if (setgroups(account->n_groups, account->groups) < 0 ||
	    setresgid(account->gid, account->gid, account->gid) < 0 ||
	    setresuid(account->uid, account->uid, account->uid) < 0)
		return -errno;
	setenv("HOME", account->home, 1);
	setenv("USER", account->name, 1);
	setenv("LOGNAME", account->name, 1);
	return 0;
}

void account_deinit(struct account *account)
{
	free(account->name);
	free(account->group);
	free(account->home);
	*account = (struct account){0};
}
