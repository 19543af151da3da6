/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups: limits, other groups, programs that the kernel runs; see hostile.h. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOP "/sys/fs/cgroup"

static char found[128];
static int seen;

static int try_write(const char *path, const struct stat *st, int type, struct FTW *at)
{
	int fd;

	(void)at;
	seen += type == FTW_F;
	if (type != FTW_F || !(st->st_mode & 0222))
		return 0;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	close(fd);
	snprintf(found, sizeof(found), "%s", path);
	return 1;
}

static struct verdict write_files(void)
{
	if (nftw(TOP, try_write, 16, FTW_PHYS) > 0)
		return succeeded("%s can be written", found);
	if (seen == 0)
		return absent("no control group is shown inside");
	return denied();
}

static int try_mkdir(const char *path, const struct stat *st, int type, struct FTW *at)
{
	char made[512];

	(void)st;
	(void)at;
	snprintf(made, sizeof(made), "%s/hostile", path);
	if (type != FTW_D || strcmp(path, TOP) == 0 || mkdir(made, 0755) < 0)
		return 0;
	rmdir(made);
	snprintf(found, sizeof(found), "%s", path);
	return 1;
}

static struct verdict make_group(void)
{
	if (nftw(TOP, try_mkdir, 16, FTW_PHYS) > 0)
		return succeeded("a group in %s", found);
	return denied();
}

/* The host's names of groups, which tell what else runs. */
static struct verdict host_names(void)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[512];
	char *path;

	while (file && fgets(line, sizeof(line), file)) {
		path = strrchr(line, ':');
		if (path && strstr(path, "stint")) {
			fclose(file);
			path[strcspn(path, "\n")] = '\0';
			return succeeded("%.100s", path);
		}
	}
	if (file)
		fclose(file);
	errno = ENOENT;
	return denied();
}

/* Mounts a hierarchy, and calls attempt with the path; all of it is gone afterwards. */
static struct verdict in_hierarchy(const char *type, const char *options,
				   struct verdict (*attempt)(const char *point))
{
	char point[] = "/tmp/cgroup.XXXXXX";
	struct verdict verdict;

	if (!mkdtemp(point))
		return denied();
	if (mount("none", point, type, 0, options) < 0) {
		verdict = denied();
	} else {
		verdict = attempt(point);
		umount2(point, MNT_DETACH);
	}
	rmdir(point);
	return verdict;
}

static struct verdict mounted(const char *point)
{
	return succeeded("mounted at %s", point);
}

static struct verdict mount_groups(void)
{
	return in_hierarchy("cgroup2", NULL, mounted);
}

/* CVE-2022-0492: the kernel executes what release_agent names, as the host's root. */
static struct verdict open_release_agent(const char *point)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/release_agent", point);
	return by_open(path, O_WRONLY);
}

static struct verdict release_agent(void)
{
	if (access("/proc/cgroups", F_OK) < 0)
		return absent("no cgroup v1 in this kernel");
	return in_hierarchy("cgroup", "memory", open_release_agent);
}

static const struct probe list[] = {
	{"cgroup-write",
	 "10,64",
	 "write any file of a control group",
	 "readonly,userns",
	 write_files,
	 {0}},
	{"cgroup-mkdir", "10", "make a control group", "readonly,userns", make_group, {0}},
	{"cgroup-host-names", "10", "the host's names of groups", "cgroupns", host_names, {0}},
	{"cgroup-mount", "64", "mount cgroup2", ALL, mount_groups, {0}},
	{"cgroup-release-agent",
	 "64",
	 "open a release_agent for writing",
	 ALL ",cgroupns",
	 release_agent,
	 {0}},
};
const struct family family_groups = {list, ARRAY_SIZE(list)};
