/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of running instances; see gauge.h. In commands. */
#include "instance/gauge.h"
#include "cgroup/limits.h"
#include "cgroup/totals.h"
#include "base/cleanup.h"
#include "base/text.h"

int gauge_open(struct gauge *ret_gauge, struct error *err)
{
	*ret_gauge = (struct gauge){0};
	return cgroup_tree_discover(&ret_gauge->tree, err);
}

void gauge_close(struct gauge *gauge)
{
	cgroup_tree_deinit(&gauge->tree);
}

void gauge_read(const struct gauge *gauge, const struct record *record,
		struct gauge_reading *ret_reading)
{
	cleanup_free char *group = xasprintf("%s/%s/server", record->cgroup, record->grant.id);
	uint64_t memory;

	ret_reading->cpu_ns = cgroup_cpu_read(&gauge->tree, group);
	ret_reading->memory_bytes = -1;
	if (cgroup_usage(&gauge->tree, group, CGROUP_MEMORY, &memory) && memory <= INT64_MAX)
		ret_reading->memory_bytes = (int64_t)memory;
}
