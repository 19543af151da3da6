/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming somebody else; see hostile.h. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <unistd.h>

/* An id that the process has not. */
#define OTHER 4711

static struct verdict other_user(void)
{
	return by_result(setresuid(OTHER, OTHER, OTHER));
}

static struct verdict other_group(void)
{
	return by_result(setresgid(OTHER, OTHER, OTHER));
}

static struct verdict root_user(void)
{
	if (getuid() == 0)
		return by_result(setuid(OTHER));
	return by_result(setuid(0));
}

static struct verdict groups(void)
{
	gid_t list[] = {0, OTHER};

	return by_result(setgroups(2, list));
}

/* fsuid changes without an error: asked again, it says what it is. */
static struct verdict file_user(void)
{
	setfsuid(OTHER);
	if (setfsuid(OTHER) == OTHER)
		return succeeded("fsuid %d", OTHER);
	errno = EPERM;
	return denied();
}

static struct verdict give_away(void)
{
	int fd = open("/tmp/give-away", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct verdict verdict = by_result(fchown(fd, OTHER, OTHER));

	close(fd);
	unlink("/tmp/give-away");
	return verdict;
}

/* Root of the instance is nobody on the host, and the host's root nobody inside. */
static struct verdict identity_map(void)
{
	FILE *file = fopen("/proc/self/uid_map", "re");
	unsigned inside, outside, count;
	struct verdict verdict;

	if (!file)
		return denied();
	errno = EPERM;
	verdict = denied();
	while (fscanf(file, "%u %u %u", &inside, &outside, &count) == 3)
		if (outside == 0)
			verdict = succeeded("%u is the host's root", inside);
	fclose(file);
	return verdict;
}

static const struct probe list[] = {
	{"id-user", "17,18", "setresuid to another user", "caps", other_user, {0}},
	{"id-group", "17,18", "setresgid to another group", "caps", other_group, {0}},
	{"id-root", "17,18", "setuid(0), or away from it", "caps", root_user, {0}},
	{"id-groups", "33", "setgroups", "caps", groups, {0}},
	{"id-file-user", "17", "setfsuid", "caps", file_user, {0}},
	{"id-give-away", "32", "give a file to another user", "caps", give_away, {0}},
	{"id-map", "63", "an id inside is the host's root", "userns", identity_map, {0}},
};
const struct family family_ids = {list, ARRAY_SIZE(list)};
