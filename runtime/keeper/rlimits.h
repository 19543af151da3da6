/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource limits (getrlimit(2)) of what stint starts: fixed, whatever the caller's are. Set twice:
 * for the keeper while it still may raise hard limits, and for each program inside.
 */
#ifndef KEEPER_RLIMITS_H
#define KEEPER_RLIMITS_H

#include <stdint.h>

/*
 * Gives every resource limit of this process its fixed value. files: open files of one process, for
 * soft and hard limit; 0: the default of both. A hard limit that is lower already stays where this
 * process may not raise it, and the soft one with it.
 */
void rlimits_set(uint64_t files);

/* The same for the keeper: what a program inside may get, its parents must have. */
void rlimits_set_for_keeper(uint64_t files);

#endif
