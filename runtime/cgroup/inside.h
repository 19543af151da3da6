/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups, inside half: joining groups by descriptors that were opened outside. */
#ifndef CGROUP_INSIDE_H
#define CGROUP_INSIDE_H

#include "base/error.h"

#include <stddef.h>

/*
 * Moves the calling process, which must have one thread, into each group. A descriptor is that of
 * "cgroup.procs" (version 2) or "tasks" (version 1, where a process that moves itself avoids the
 * lock that moving another takes).
 */
int cgroup_join(const int *fds, size_t n, struct error *err);

#endif
