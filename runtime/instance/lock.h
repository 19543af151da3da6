/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Liveness by lock: RUN/lock/ID appears already locked and lives as long as the instance. A pid
 * in a file would tell of some process; the lock tells of this keeper.
 */
#ifndef INSTANCE_LOCK_H
#define INSTANCE_LOCK_H

#include "base/error.h"
#include "instance/site.h"

#include <stdbool.h>

enum lock_byte { LOCK_ALIVE = 0, LOCK_END = 1 };

/*
 * Makes the lock file of a new instance with LOCK_ALIVE held by the returned descriptor. -EEXIST
 * when an instance of that id exists.
 */
int instance_lock_create(const struct site *site, const char *id, struct error *err);

/*
 * Takes LOCK_END, and LOCK_ALIVE once the keeper is gone (waits at most wait_ns for each).
 * Returns a descriptor that holds both, -ENOENT when the instance was ended meanwhile, -EBUSY
 * when the keeper lives on.
 */
int instance_lock_for_end(const struct site *site, const char *id, int64_t wait_ns,
			  struct error *err);

/* The last act of an end: removes the file; the descriptor's locks go with its close. */
void instance_lock_remove(const struct site *site, const char *id);

/* True when a keeper, or the command that is making the instance, holds LOCK_ALIVE. */
bool instance_is_alive(const struct site *site, const char *id);

#endif
