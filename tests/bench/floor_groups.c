/* SPDX-License-Identifier: Apache-2.0 */
/* The floor's control groups: in v1 hierarchies, in v2, or in both where both are mounted. */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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
static int directories[2] = {-1, -1}; /* of host and server in v2 */

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
static void open_leaf(const char *group, const char *leaf, int *members, int *ret_directory)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s/tasks", group, leaf);
	members[joinable] = open(path, O_WRONLY | O_CLOEXEC);
	if (members[joinable] >= 0)
		return;
	snprintf(path, sizeof(path), "%s/%s", group, leaf);
	*ret_directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	check(*ret_directory, path);
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
	open_leaf(group, "host", host, &directories[0]);
	open_leaf(group, "server", server, &directories[1]);
	joinable += server[joinable] >= 0;
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

/* In v2 a child is born where it belongs; where there is only that, or only v1, as well. */
pid_t groups_fork(bool into_server, uint64_t namespaces)
{
	const int *groups = into_server ? server : host;
	struct clone_args args = {.flags = namespaces, .exit_signal = SIGCHLD};
	pid_t pid;

	if (directories[into_server] >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)directories[into_server];
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	check(pid, "fork");
	for (size_t i = 0; pid == 0 && i < joinable; i++)
		check(pwrite(groups[i], "0", 1, 0), "join a group");
	return pid;
}
