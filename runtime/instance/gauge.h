/* SPDX-License-Identifier: Apache-2.0 */
/* What running instances use now, of many and often: the kernel's counters, and no keeper. */
#ifndef INSTANCE_GAUGE_H
#define INSTANCE_GAUGE_H

#include "instance/site.h"
#include "cgroup/cgroup.h"

struct gauge {
	struct cgroup_tree tree;
};

/* -1: nobody counts it here, or it has ended. */
struct gauge_reading {
	int64_t cpu_ns; /* since its start */
	int64_t memory_bytes;
};

/* Finds the control groups of the host. The caller ends it with gauge_close, also after a failure.
 */
int gauge_open(struct gauge *ret_gauge, struct error *err);
void gauge_close(struct gauge *gauge);

void gauge_read(const struct gauge *gauge, const struct record *record,
		struct gauge_reading *ret_reading);

#endif
