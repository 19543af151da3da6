/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all instances together may use: limits of the parent group, set by every start. They protect
 * the host from the sum of what each instance is allowed.
 */
#ifndef INSTANCE_SHARE_H
#define INSTANCE_SHARE_H

#include "cgroup/limits.h"
#include "plan/config.h"

/* The memory of this host; in a container, or below a group with a limit, that one's. */
uint64_t share_memory(const struct cgroup_tree *tree, const char *parent);

/* Amounts of this host from the configuration's percentages; 100 % is no limit. */
void share_compute(const struct host_share *share, const struct cgroup_tree *tree,
		   const char *parent, struct cgroup_limits *ret_limits);

/*
 * Sets them on the parent group, which exists. What this host cannot enforce is left out here: the
 * doctor says so.
 */
void share_apply(const struct host_share *share, const struct cgroup_tree *tree,
		 const char *parent);

#endif
