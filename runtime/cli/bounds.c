/* SPDX-License-Identifier: Apache-2.0 */
/* What a restricted caller's options may make of a plan; see caller.h. */
#include "cli/caller.h"
#include "base/cleanup.h"

struct bound {
	const char *what;
	uint64_t written; /* in the template */
	uint64_t *asked;
	uint64_t quota;
};

static int refuse_raise(const char *what, struct error *err)
{
	return error_say(err, ERROR_REFUSED,
			 "the template limits the %s of an instance; you may lower that limit, but "
			 "not raise it",
			 what);
}

static uint64_t part_of(uint64_t quota, const struct quota *of)
{
	return quota / (of->instances ? of->instances : 1);
}

uint64_t caller_memory(const struct quota *quota)
{
	return quota ? part_of(quota->memory_bytes, quota) : 0;
}

static int keep(const struct bound *bound, const struct quota *quota, struct error *err)
{
	bool raised = bound->written && (!*bound->asked || *bound->asked > bound->written);

	if (raised && !bound->quota)
		return refuse_raise(bound->what, err);
	if (bound->quota && !*bound->asked)
		*bound->asked = part_of(bound->quota, quota);
	return 0;
}

static void bound_lease(const struct quota *quota, struct plan_lease *lease)
{
	if (quota->ttl_ns && (!lease->max_ns || lease->max_ns > quota->ttl_ns)) {
		lease->max_ns = quota->ttl_ns;
		lease->max_of_quota = true;
	}
	if (lease->max_ns && lease->ttl_ns > lease->max_ns)
		lease->ttl_ns = lease->max_ns;
}

int caller_bound_plan(const struct quota *quota, const struct plan_limits *written,
		      struct plan *plan, struct error *err)
{
	struct plan_limits *asked = &plan->limits;
	const struct bound bounds[] = {
		{"memory", written->memory_bytes, &asked->memory_bytes, quota->memory_bytes},
		{"processors", written->cpu_millis, &asked->cpu_millis, quota->cpu_millis},
		{"disk", written->disk_bytes, &asked->disk_bytes, quota->disk_bytes},
		{"tasks", written->pids, &asked->pids, 0},
		{"open files", written->files, &asked->files, 0},
		{"reading", written->io_read, &asked->io_read, 0},
		{"writing", written->io_write, &asked->io_write, 0},
		{"log", written->log_bytes, &asked->log_bytes, 0},
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(bounds); i++)
		r = keep(&bounds[i], quota, err);
	if (r == 0 && written->has_swap &&
	    (!asked->has_swap || asked->swap_bytes > written->swap_bytes))
		r = refuse_raise("swap", err);
	bound_lease(quota, &plan->lease);
	return r;
}
