/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a frozen spare holds is not used until somebody claims it: process_madvise(2), Linux 5.10.
 * Nothing of it runs meanwhile, so its mappings stay as they are read here. See spares.h.
 */
#include "instance/spares.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "base/text.h"
#include "cgroup/cgroup.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define RANGES_AT_ONCE 64

struct ranges {
	int pidfd;
	struct iovec list[RANGES_AT_ONCE];
	size_t n;
};

static void advise(struct ranges *ranges)
{
	if (ranges->n)
		(void)syscall(SYS_process_madvise, ranges->pidfd, ranges->list, ranges->n,
			      MADV_COLD, 0U);
	ranges->n = 0;
}

/* Only what is its own: the install's pages are shared with others who use them. */
static void make_process_cold(pid_t pid)
{
	struct ranges ranges = {.pidfd = process_pidfd_open(pid)};
	cleanup_free char *path = xasprintf("/proc/%d/maps", pid);
	FILE *maps = ranges.pidfd >= 0 ? fopen(path, "re") : NULL;
	char line[512], kind[5];
	unsigned long from, to;

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %4s", &from, &to, kind) != 3 || kind[1] != 'w' ||
		    kind[3] != 'p')
			continue;
		ranges.list[ranges.n++] =
			(struct iovec){.iov_base = (void *)from, /* NOLINT(*-int-to-ptr) */
				       .iov_len = to - from};
		if (ranges.n == RANGES_AT_ONCE)
			advise(&ranges);
	}
	advise(&ranges);
	if (maps)
		fclose(maps);
	cleanup_close(&ranges.pidfd);
}

/* The group that is frozen. */
static FILE *open_group(const struct cgroup_tree *tree, const struct record *record)
{
	for (size_t i = 0; i < tree->n; i++) {
		cleanup_free char *path = NULL;

		if (!tree->list[i].v2)
			continue;
		path = xasprintf("%s/%s/%s/server/cgroup.procs", tree->list[i].mount,
				 record->cgroup, record->grant.id);
		return fopen(path, "re");
	}
	return NULL;
}

void spares_make_cold(const struct record *record)
{
	struct cgroup_tree tree;
	FILE *members = NULL;
	int pid;

	if (cgroup_tree_discover(&tree, NULL) == 0)
		members = open_group(&tree, record);
	while (members && fscanf(members, "%d", &pid) == 1)
		make_process_cold(pid);
	if (members)
		fclose(members);
	cgroup_tree_deinit(&tree);
}
