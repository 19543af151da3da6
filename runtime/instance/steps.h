/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything done on the host for an instance is a step with an undo that takes the record alone,
 * accepts "already gone" and may run twice. A failed start, a normal end, a sweep after a killed
 * keeper and one that finds objects without a record all run the same undo.
 */
#ifndef INSTANCE_STEPS_H
#define INSTANCE_STEPS_H

#include "cgroup/cgroup.h"
#include "cgroup/limits.h"
#include "instance/site.h"

/* What prepared steps hold for the rest of the start. */
struct prepared {
	struct cgroup_tree tree;
	struct cgroup_groups groups;
	struct cgroup_watch watch;
	int freezer;	/* freezes the server's group; -1: it cannot be frozen */
	int group_lock; /* held until the keeper has joined its groups */
	int run;	/* RUN/i/ID */
	int log;	/* STATE/i/ID/log, write-only */
	int pool;	/* what the instance writes (disk.h) */
};

/* Runs all steps in order. ret_prepared must be ended with prepared_deinit also on failure. */
int steps_prepare(const struct site *site, const struct record *record,
		  struct prepared *ret_prepared, struct error *err);
/*
 * The same for a keeper that succeeds another, whose pool is given: opens what the steps made, and
 * makes nothing.
 */
int steps_reopen(const struct site *site, const struct record *record, int pool,
		 struct prepared *ret_prepared, struct error *err);
void prepared_deinit(struct prepared *prepared);
/* The keeper has joined, or the start has failed: groups that nobody uses may go again. */
void prepared_unlock(struct prepared *prepared);

/*
 * Undoes all steps in reverse order, each whether or not the ones before it worked, but for
 * the groups': while something in them does not die (-EBUSY), what it may use stays. Only id and
 * cgroup of the record are needed. Returns the first failure.
 */
int steps_undo(const struct site *site, const struct record *record, struct error *err);

/* The same but for what the instance wrote: nothing runs any more. */
int steps_end(const struct site *site, const struct record *record, struct error *err);

/* The parent of all groups, unless somebody uses it: an end may have had to leave it behind. */
void steps_remove_parent(const struct site *site);

#endif
