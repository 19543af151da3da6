/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard of live installs: what changes below instances is noted with each of them. Changes are
 * found by a look at everything (guard_look), which is taken by a start when directories are not as
 * they were, by "stint ls --check", and again and again by one process for each install that
 * instances are on. That one is nobody's child; it holds byte 0 of its lock file, ends with the
 * last instance, and is started by every start and by every sweep that finds none.
 *
 *   RUN/live.lock   held while what was seen last is replaced, or an instance is admitted
 *   RUN/live/NAME   the lock of the process
 */
#ifndef INSTANCE_GUARD_H
#define INSTANCE_GUARD_H

#include "instance/site.h"
#include "install/live.h"

/* The installs whose live directories these are, as store_find_lowers has them; the caller frees.
 */
char **guard_installs(char *const *lowers);

/*
 * Before an instance is admitted to the live directories of these installs: what they look like is
 * kept if nobody is on them, else a change that directories show is noted for who is. *ret_lock is
 * to be closed once the instance is in the store.
 */
int guard_prepare(const struct site *site, struct store *store, char *const *installs,
		  int *ret_lock, struct error *err);

/*
 * New instances see the live directories of the install, which is a new one if there are paths
 * (live.h). With hashes, what is in all files is read before anything is changed: a long look, that
 * can be cancelled.
 */
int guard_switch(const struct site *site, const char *install, char *const *paths,
		 struct live_look *how, struct error *err);

/*
 * One look at everything: what changed since the last is noted for the instances that are on the
 * install, and told as an event. Where hashes were asked for, what is in files is read where they
 * were touched (hashing is NULL), or in all of them, as hashing says.
 */
int guard_look(const struct site *site, const char *install, const struct hashing *hashing,
	       struct error *err);

/* The same for all live installs that instances are on. */
int guard_look_at_all(const struct site *site, const struct hashing *hashing, struct error *err);

/* Starts the process for each of these installs that has none. With no store open. */
void guard_ensure(const struct site *site, char *const *installs);

/* What that process does. 0 when it is not needed, or not any more. */
int guard_run(const struct site *site, const char *install, struct error *err);

#endif
