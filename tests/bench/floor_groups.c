/* SPDX-License-Identifier: Apache-2.0 */
/* The floor's control groups: in v1 hierarchies, in v2, or in both where both are mounted. */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"
#define HIERARCHIES 6

/* Those that have a controller which an instance is limited or accounted by, and v2. */
static const char *const mounts[HIERARCHIES] = {"/cpu",	  "/cpuacct", "/memory",
						"/blkio", "/pids",    "/unified"};

struct limit {
	const char *hierarchy, *file, *value;
};

static const struct limit limits_v1[] = {
	{"/memory", "memory.limit_in_bytes", "268435456"},
	{"/memory", "memory.memsw.limit_in_bytes", "268435456"},
	{"/cpu", "cpu.cfs_quota_us", "100000"},
	{"/pids", "pids.max", "100"},
};
static const struct limit limits_v2[] = {
	{"", "memory.max", "268435456"},
	{"", "memory.swap.max", "0"},
	{"", "cpu.max", "100000 100000"},
	{"", "pids.max", "100"},
};

static int host[HIERARCHIES], server[HIERARCHIES];
static size_t joinable;

static void poke(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	check(fd, path);
	check(write(fd, word, strlen(word)), path);
	close(fd);
}

static bool is_unified(void)
{
	return access(ROOT "/cgroup.controllers", F_OK) == 0;
}

/* A v1 task that writes for itself into "tasks" is moved without the lock that others need. */
static int open_members(const char *group, const char *leaf)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/tasks", group, leaf);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(path, sizeof(path), "%s/%s/cgroup.procs", group, leaf);
		fd = open(path, O_WRONLY | O_CLOEXEC);
	}
	check(fd, path);
	return fd;
}

static void make_in(const struct floor *floor, const char *hierarchy)
{
	char group[96], path[160];

	snprintf(group, sizeof(group), ROOT "%s/stint-floor-%s", hierarchy, floor->id);
	/* a hierarchy that is not there, or there under two names */
	if (mkdir(group, 0755) < 0 && (errno == ENOENT || errno == EROFS || errno == EEXIST))
		return;
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", group);
	if (!*hierarchy)
		poke(path, "+memory +cpu +pids");
	snprintf(path, sizeof(path), "%s/server", group);
	check(mkdir(path, 0755), path);
	snprintf(path, sizeof(path), "%s/host", group);
	check(mkdir(path, 0755), path);
	server[joinable] = open_members(group, "server");
	host[joinable++] = open_members(group, "host");
}

void groups_make(const struct floor *floor)
{
	const struct limit *limits = is_unified() ? limits_v2 : limits_v1;
	char path[160];

	if (is_unified())
		make_in(floor, "");
	else
		for (size_t i = 0; i < HIERARCHIES; i++)
			make_in(floor, mounts[i]);
	for (size_t i = 0; i < sizeof(limits_v1) / sizeof(limits_v1[0]); i++) {
		snprintf(path, sizeof(path), ROOT "%s/stint-floor-%s/server/%s",
			 limits[i].hierarchy, floor->id, limits[i].file);
		/* without accounting of swap there is no such file */
		if (!strstr(limits[i].file, "sw") || access(path, F_OK) == 0)
			poke(path, limits[i].value);
	}
}

/* Whoever was in it last may still be on his way out. */
static void remove_group(const char *path)
{
	for (int tries = 0; rmdir(path) < 0 && errno == EBUSY && tries < 1000; tries++)
		usleep(1000);
}

static void remove_in(const struct floor *floor, const char *hierarchy)
{
	static const char *const leaves[] = {"/server", "/host", ""};
	char path[160];

	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		snprintf(path, sizeof(path), ROOT "%s/stint-floor-%s%s", hierarchy, floor->id,
			 leaves[i]);
		remove_group(path);
	}
}

void groups_remove(const struct floor *floor)
{
	if (is_unified())
		remove_in(floor, "");
	else
		for (size_t i = 0; i < HIERARCHIES; i++)
			remove_in(floor, mounts[i]);
}

static void join(const int *groups)
{
	for (size_t i = 0; i < joinable; i++)
		check(pwrite(groups[i], "0", 1, 0), "join a group");
}

void groups_join_host(void)
{
	join(host);
}

void groups_join_server(void)
{
	join(server);
}
