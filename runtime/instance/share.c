/* SPDX-License-Identifier: Apache-2.0 */
/* The share of all instances; see share.h. In the command that starts one, and the doctor. */
#include "instance/share.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>

/* Threads and processes are bounded by the smaller of the two. */
static uint64_t tasks_of_host(void)
{
	uint64_t numbers = file_read_number("/proc/sys/kernel/pid_max");
	uint64_t threads = file_read_number("/proc/sys/kernel/threads-max");

	return numbers < threads ? numbers : threads;
}

uint64_t share_memory(const struct cgroup_tree *tree, const char *parent)
{
	uint64_t whole = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t bound = cgroup_memory_bound(tree, parent);

	return bound < whole ? bound : whole;
}

static void share(struct cgroup_limits *limits, enum cgroup_limit_kind kind, uint64_t whole,
		  unsigned percent)
{
	limits->of[kind].value = whole / 100 * percent;
	limits->of[kind].asked = percent < 100 && whole != UINT64_MAX;
}

void share_compute(const struct host_share *from, const struct cgroup_tree *tree,
		   const char *parent, struct cgroup_limits *ret_limits)
{
	uint64_t processors = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);

	*ret_limits = (struct cgroup_limits){0};
	share(ret_limits, CGROUP_MEMORY, share_memory(tree, parent), from->memory);
	share(ret_limits, CGROUP_PIDS, tasks_of_host(), from->pids);
	share(ret_limits, CGROUP_CPU, processors * 1000, from->cpu);
}

void share_apply(const struct host_share *from, const struct cgroup_tree *tree, const char *parent)
{
	struct cgroup_outcome outcomes[CGROUP_LIMIT_KINDS];
	struct cgroup_limits limits;

	share_compute(from, tree, parent, &limits);
	cgroup_limits_apply(tree, parent, &limits, outcomes);
}
