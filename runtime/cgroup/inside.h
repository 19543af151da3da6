/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups, inside half: joining groups by descriptors that were opened outside. */
#ifndef CGROUP_INSIDE_H
#define CGROUP_INSIDE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Moves the calling process, which must have one thread, into each group. A descriptor is that of
 * "cgroup.procs" (version 2) or "tasks" (version 1, where a process that moves itself avoids the
 * lock that moving another takes).
 */
int cgroup_join(const int *fds, size_t n, struct error *err);
/* The same but for version 2, where cgroup_fork has put the caller already. */
int cgroup_join_others(const int *fds, size_t n, struct error *err);

/*
 * Whether this is a group's directory in version 2. Whatever is none may be given instead of one.
 */
bool cgroup_is_directory(int fd);

/*
 * fork(2) into the version 2 group whose directory this is; -1: none. *ret_inside tells parent and
 * child whether the child was born there (CLONE_INTO_CGROUP); if not, it is where its parent is.
 * A move by cgroup.procs waits until every processor has passed a quiet state (RCU), ten
 * milliseconds on a host that has not moved anything for a while, and stops all forks meanwhile.
 */
pid_t cgroup_fork(int directory, bool *ret_inside);

#endif
