/* SPDX-License-Identifier: Apache-2.0 */
/* What a control group used from its beginning on, host half. In the command that removes it. */
#ifndef CGROUP_TOTALS_H
#define CGROUP_TOTALS_H

#include "cgroup/cgroup.h"

#include <stdint.h>

/* -1: nobody counts it here. */
struct cgroup_totals {
	int64_t memory_peak; /* bytes; version 2 tells since Linux 5.19 */
	int64_t cpu_ns;
	int64_t io_written; /* bytes to disks; in version 1 without what the page cache writes */
	const char *io_by;  /* "cgroup v1 blkio"; "": nobody */
};

/* Of the group ("stint/a1b2c3d4/server", below each hierarchy's root), which may be gone. */
void cgroup_totals_read(const struct cgroup_tree *tree, const char *group,
			struct cgroup_totals *ret_totals);

/* Of the same group, the processor time alone; -1: nobody counts it. */
int64_t cgroup_cpu_read(const struct cgroup_tree *tree, const char *group);

#endif
