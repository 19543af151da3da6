/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of runtime/cgroup share. */
#ifndef TESTS_CGROUP_RIG_H
#define TESTS_CGROUP_RIG_H

#include "world.h"
#include "cgroup/cgroup.h"
#include "cgroup/inside.h"

/* An end as instances have it: the groups, then the parent when nobody uses it. */
int undo_groups(const struct cgroup_tree *tree, const char *parent, const char *id,
		struct error *err);

/* For cgroup_each_id: adds the id to the list, a char ***, once. */
int collect_id(const char *id, void *data);

#endif
