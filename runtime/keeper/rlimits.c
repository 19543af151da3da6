/* SPDX-License-Identifier: Apache-2.0 */
/* The table of resource limits; see rlimits.h. In the keeper before its execution, and in init. */
#include "keeper/rlimits.h"
#include "base/cleanup.h"

#include <sys/resource.h>

#define FILES_SOFT 65536
#define FILES_HARD 524288
#define NO_LIMIT RLIM_INFINITY

/*
 * What control groups hold (memory, processor time, tasks) is not held again here. The kernel's own
 * defaults are the model for the rest: they are what programs are written for.
 */
static const struct {
	int resource;
	rlim_t soft, hard;
} fixed[] = {
	{RLIMIT_AS, NO_LIMIT, NO_LIMIT},
	/* with 1, and with nothing else, no program of the host is started to read a core */
	{RLIMIT_CORE, 1, 1},
	{RLIMIT_CPU, NO_LIMIT, NO_LIMIT},
	{RLIMIT_DATA, NO_LIMIT, NO_LIMIT},
	{RLIMIT_FSIZE, NO_LIMIT, NO_LIMIT},
	{RLIMIT_LOCKS, NO_LIMIT, NO_LIMIT},
	{RLIMIT_MEMLOCK, 8 << 20, 8 << 20},
	{RLIMIT_MSGQUEUE, 819200, 819200},
	{RLIMIT_NICE, 0, 0},
	{RLIMIT_NOFILE, FILES_SOFT, FILES_HARD},
	{RLIMIT_NPROC, NO_LIMIT, NO_LIMIT},
	{RLIMIT_RSS, NO_LIMIT, NO_LIMIT},
	{RLIMIT_RTPRIO, 0, 0},
	{RLIMIT_RTTIME, NO_LIMIT, NO_LIMIT},
	{RLIMIT_SIGPENDING, 32768, 32768},
	{RLIMIT_STACK, 8 << 20, NO_LIMIT},
};

static void set_one(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
	struct rlimit old;

	if (setrlimit((__rlimit_resource_t)resource, &limit) == 0 ||
	    getrlimit((__rlimit_resource_t)resource, &old) < 0)
		return;
	/* a hard limit is only ever lowered: raising takes a capability that root may not have */
	if (hard > old.rlim_max)
		limit.rlim_max = old.rlim_max;
	if (soft > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	setrlimit((__rlimit_resource_t)resource, &limit);
}

static void set_all(rlim_t files_soft, rlim_t files_hard)
{
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		if (fixed[i].resource != RLIMIT_NOFILE)
			set_one(fixed[i].resource, fixed[i].soft, fixed[i].hard);
	set_one(RLIMIT_NOFILE, files_soft, files_hard);
}

void rlimits_set(uint64_t files)
{
	set_all(files ? files : FILES_SOFT, files ? files : FILES_HARD);
}

void rlimits_set_for_keeper(uint64_t files)
{
	set_all(FILES_SOFT, files > FILES_HARD ? files : FILES_HARD);
}
