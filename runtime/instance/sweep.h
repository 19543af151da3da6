/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is overdue, has lost its keeper or has no record is ended, by whichever command comes by.
 * Needs root.
 */
#ifndef INSTANCE_SWEEP_H
#define INSTANCE_SWEEP_H

#include "instance/site.h"
#include "base/text.h"

/* A keeper that lets its deadline pass by that much is killed with everything it keeps. */
#define SWEEP_OVERDUE_NS (2 * NSEC_PER_SEC)

/* What a sweep found and did. */
struct sweep_result {
	unsigned ended;	 /* instances without a keeper, or overdue, that are gone now */
	unsigned strays; /* objects without a record that are gone now */
	unsigned left;	 /* what could not be removed; err names the last */
};

/* Whether the instance is one that a sweep ends, and why, for the history. */
bool sweep_is_due(const struct site *site, const struct record *record, const char **ret_why);

/*
 * Ends what has no keeper, is overdue by more than 2 s or is of an earlier boot, and, if strays,
 * removes what has no record and the generations of installs that are of no use any more. A guard
 * that was lost is started again. 0 also when something is left; the caller looks at the result.
 */
int site_sweep(const struct site *site, bool strays, struct sweep_result *ret_result,
	       struct error *err);

/*
 * The same for a command that has something else to do: what is overdue at once, what has no
 * keeper at most once per second on the whole host, but for the instance called name (NULL: none),
 * which stands in the way. What cannot be removed is left to the next.
 */
int site_sweep_in_passing(const struct site *site, struct store *store, const char *name,
			  struct error *err);

#endif
