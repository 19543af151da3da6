/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who called; see caller.h. What a person's session says is not believed: how few descriptors or
 * how little memory he left us must not decide whether the list of groups can be read. The shipped
 * sudoers file marks its people as well (STINT_RESTRICTED), since sudo also counts groups that a
 * session still has and the lists do not.
 */
#include "cli/caller.h"
#include "cli/policy.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "templates/template.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define MARK "STINT_RESTRICTED"
#define GROUPS_MAX 65536

/* Where few is enough to make this program fail half-way. */
static const struct {
	__rlimit_resource_t resource;
	rlim_t wanted, least; /* without CAP_SYS_RESOURCE not more than the hard limit can be had */
} resources[] = {
	{RLIMIT_NOFILE, 1024, 64},
	{RLIMIT_AS, RLIM_INFINITY, 1 << 28},
	{RLIMIT_DATA, RLIM_INFINITY, 1 << 28},
	{RLIMIT_FSIZE, RLIM_INFINITY, 1 << 28},
	{RLIMIT_CPU, RLIM_INFINITY, 60},
};

_Static_assert(ARRAY_SIZE(resources) <= CALLER_LIMITS_MAX, "a place for each");

/* Stopped at the wrong moment, it would keep a lock that everybody waits for. */
static const int stops[] = {SIGTSTP, SIGTTIN, SIGTTOU};

static int raise_limit(size_t i, struct rlimit *ret_old, struct error *err)
{
	struct rlimit new;

	if (getrlimit(resources[i].resource, ret_old) < 0)
		return error_set(err, errno, "cannot read this process's limits");
	new = *ret_old;
	if (new.rlim_cur >= resources[i].wanted)
		return 0;
	new.rlim_cur = resources[i].wanted;
	if (new.rlim_max < new.rlim_cur)
		new.rlim_max = new.rlim_cur;
	if (setrlimit(resources[i].resource, &new) == 0)
		return 0;
	new.rlim_cur = new.rlim_max = ret_old->rlim_max;
	if (new.rlim_max >= resources[i].least && setrlimit(resources[i].resource, &new) == 0)
		return 0;
	return error_say(err, ERROR_REFUSED,
			 "your session allows so little (ulimit -Hn, -Hv, -Hd, -Hf, -Ht) that it "
			 "cannot be found out who you are; log in anew");
}

static int raise_limits(struct caller *caller, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(resources); i++)
		r = raise_limit(i, &caller->limits[i], err);
	return r;
}

static void restore_limits(const struct caller *caller)
{
	for (size_t i = 0; i < ARRAY_SIZE(resources); i++)
		(void)setrlimit(resources[i].resource, &caller->limits[i]);
}

static bool means_not_found(int errnum)
{
	return errnum == 0 || errnum == ENOENT || errnum == ESRCH;
}

static int say_unknown(uid_t uid, struct error *err)
{
	return error_say(err, ERROR_REFUSED,
			 "cannot find out whether user %u is a member of the group " CALLER_GROUP,
			 uid);
}

static bool is_listed(const char *name, gid_t own, gid_t group)
{
	cleanup_free gid_t *groups = xcalloc(GROUPS_MAX, sizeof(gid_t));
	int n = GROUPS_MAX;

	if (getgrouplist(name, own, groups, &n) < 0)
		return true; /* more than there can be: nothing is known */
	for (int i = 0; i < n; i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* 1: a member, 0: none, or there is no such group. */
static int find_membership(uid_t uid, struct error *err)
{
	const char *session = getenv("SUDO_GID");
	const struct passwd *person;
	const struct group *group;
	uint64_t number;
	gid_t gid;

	errno = 0;
	group = getgrnam(CALLER_GROUP);
	if (!group)
		return means_not_found(errno) ? 0 : say_unknown(uid, err);
	gid = group->gr_gid;
	/* newgrp(1) */
	if (session && (parse_number(session, UINT32_MAX, &number) < 0 || number == gid))
		return 1;
	person = getpwuid(uid);
	if (!person)
		return say_unknown(uid, err);
	if (person->pw_gid == gid || strv_contains(group->gr_mem, person->pw_name))
		return 1;
	return is_listed(person->pw_name, person->pw_gid, gid);
}

/* The group that nobody else is in, as most systems give one to each user. */
static void trust_own_group(const struct passwd *person, struct trust *trust)
{
	const struct group *group = getgrgid(person->pw_gid);

	if (!group || strcmp(group->gr_name, person->pw_name) != 0)
		return;
	for (char **member = group->gr_mem; *member; member++)
		if (strcmp(*member, person->pw_name) != 0)
			return;
	trust->has_group = true;
	trust->group = group->gr_gid;
}

void caller_set_template_options(const struct caller *caller, bool starts,
				 struct template_options *options, struct trust *ret_trust)
{
	const struct passwd *person;

	*ret_trust = (struct trust){.uid = caller->restricted ? 0 : caller->uid};
	if (caller->restricted)
		options->names_only = options->guarded = true;
	if (!caller->restricted && !starts)
		return;
	options->trust = ret_trust;
	person = caller->restricted ? NULL : getpwuid(caller->uid);
	if (person)
		trust_own_group(person, ret_trust);
}

static bool is_kept(const char *assignment)
{
	static const char *const names[] = {
		"TERM=",	 "LANG=",	   "LC_",	    "SUDO_UID=",
		"SUDO_GID=",	 "SUDO_USER=",	   "SUDO_COMMAND=",
#ifdef __SANITIZE_ADDRESS__
		"ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=",
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(assignment, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The strings stay where the kernel put them; they are only not pointed to any more. */
static void clean_environment(void)
{
	cleanup_strv char **kept = NULL;

	for (char **entry = environ; *entry; entry++)
		if (is_kept(*entry))
			strv_add(&kept, *entry);
	clearenv();
	for (size_t i = 0; kept && kept[i]; i++) {
		char *equals = strchr(kept[i], '=');

		*equals = '\0';
		setenv(kept[i], equals + 1, 1);
	}
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
}

static int restrict_caller(struct caller *caller, struct error *err)
{
	const struct passwd *person = getpwuid(caller->uid);

	caller->restricted = true;
	if (person)
		snprintf(caller->name, sizeof(caller->name), "%s", person->pw_name);
	else
		snprintf(caller->name, sizeof(caller->name), "%u", caller->uid);
	if (getenv("STINT_ROOT"))
		return error_say(err, ERROR_REFUSED,
				 "STINT_ROOT is not for members of the group " CALLER_GROUP);
	clean_environment();
	caller->umask = umask(022);
	for (size_t i = 0; i < ARRAY_SIZE(stops); i++)
		signal(stops[i], SIG_IGN);
	return 0;
}

int caller_find(struct caller *ret_caller, struct error *err)
{
	const char *sudo = getenv("SUDO_UID");
	bool marked = getenv(MARK);
	uint64_t number;
	int r;

	*ret_caller = (struct caller){.uid = getuid()};
	if (getuid() != 0 || (!sudo && !marked))
		return 0;
	if (!sudo || parse_number(sudo, UINT32_MAX - 1, &number) < 0)
		return error_say(err, ERROR_REFUSED, "SUDO_UID '%.32s' is no user number",
				 sudo ? sudo : "");
	ret_caller->uid = (uid_t)number;
	if (number == 0)
		return 0;
	r = raise_limits(ret_caller, err);
	if (r < 0)
		return r;
	r = marked ? 1 : find_membership(ret_caller->uid, err);
	if (r == 0)
		restore_limits(ret_caller);
	return r > 0 ? restrict_caller(ret_caller, err) : r;
}

void caller_restore(const struct caller *caller)
{
	if (!caller->restricted)
		return;
	restore_limits(caller);
	umask(caller->umask);
	for (size_t i = 0; i < ARRAY_SIZE(stops); i++)
		signal(stops[i], SIG_DFL);
}
