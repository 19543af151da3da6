/* SPDX-License-Identifier: Apache-2.0 */
/* Controllers: which hierarchy has one, and making a version 2 group have it. For this folder. */
#ifndef CGROUP_CONTROLLER_H
#define CGROUP_CONTROLLER_H

#include "cgroup/cgroup.h"

/* The hierarchy of that version that has the controller, or NULL. */
const struct cgroup_hierarchy *cgroup_controller_find(const struct cgroup_tree *tree,
						      const char *controller, bool v2);

/*
 * Enables the controller in all groups above group, from the hierarchy's root on; what is enabled
 * stays so. Nothing is to be done in version 1. On failure *ret_why says what; the caller frees.
 */
int cgroup_controller_enable(const struct cgroup_hierarchy *hierarchy, const char *group,
			     const char *controller, char **ret_why);

#endif
