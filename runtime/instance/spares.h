/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances that were started ahead for a pool (store/spares.h): which may be, whether one is still
 * what a start would make, and their end. In commands. docs/pools.md says what is promised.
 */
#ifndef INSTANCE_SPARES_H
#define INSTANCE_SPARES_H

#include "instance/site.h"
#include "plan/plan.h"
#include "store/spares.h"

/* ERROR_REFUSED, with the reason, for a plan whose instances cannot be made before they are asked
 * for. */
int spares_check_plan(const struct plan *plan, struct error *err);

/* plan_write_likeness, and which of the host's files the plan's names mean now. */
void spares_write_likeness(const struct plan *plan, struct text *ret_text);

/* What a start of the plan would make now. */
struct likeness {
	const struct plan *plan;
	char *text;    /* spares_write_likeness */
	char **lowers; /* as lowers_resolve */
	char **above;  /* as above_find */
};

/* The plan names no installs any more, and is not freed before the likeness. */
int likeness_find(const struct site *site, struct store *store, const struct plan *plan,
		  struct likeness *ret_likeness, struct error *err);
void likeness_deinit(struct likeness *likeness);
#define cleanup_likeness cleanup(likeness_deinit)

/* NULL when the spare is just that; else in what it differs, for people. */
const char *spare_differs(const struct site *site, const struct spare *spare,
			  const struct likeness *likeness);

/* Takes the spare out of its pool and ends it, unless it was claimed meanwhile: 1, else 0. */
int spare_end(const struct site *site, struct store *store, const char *id, const char *reason,
	      struct error *err);

/* Ends those that belong to no pool any more, as after a crash. */
void spares_end_orphans(const struct site *site, struct store *store);

/*
 * Ends one, whose room a start needs that somebody waits for. False when there is none. Nobody is
 * waited for who is at it already.
 */
bool spares_give_way(const struct site *site, struct store *store);

/* Has the pools filled in the background. The store must be closed. */
void spares_fill(const struct site *site);
/* The same for who does not know whether there is one. */
void spares_fill_if_any(const struct site *site);

/*
 * Lets the kernel take the memory of a frozen spare first when it is short of it (MADV_COLD). What
 * it refuses is left as it is.
 */
void spares_make_cold(const struct record *record);

#endif
