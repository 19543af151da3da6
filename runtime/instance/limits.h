/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of an instance: set by the command that starts it, and written to RUN/i/ID/limits, one
 * line for each, so that it can be said later what was asked, what was set, and what enforces it.
 */
#ifndef INSTANCE_LIMITS_H
#define INSTANCE_LIMITS_H

#include "instance/steps.h"
#include "plan/plan.h"

/* Bytes, thousandths of a processor, or a number. */
struct limit_line {
	char name[16]; /* "memory", "io_read"; as the plan's keys */
	uint64_t asked, set;
	bool enforced;
	char text[256]; /* by what, or why not */
};

/*
 * Sets the plan's limits on the instance's groups, which are prepared, and on this process what its
 * children inherit. ERROR_REFUSED, naming limit and reason, when one cannot be enforced and the
 * plan does not allow that.
 */
int limits_apply(const struct site *site, const struct plan *plan, const struct record *record,
		 const struct prepared *prepared, struct error *err);

/*
 * Of an instance that runs: processors, tasks and I/O as the plan says, which limits the same kinds
 * as before. Errors as above; then some may be as before.
 */
int limits_change(const struct site *site, const struct plan *plan, const struct record *record,
		  struct error *err);

/* What of them a keeper inherits from this process, and nothing else. Best effort. */
void limits_inherit(const struct plan *plan);

/*
 * Adds a line to the instance's file; run is its run directory. ERROR_REFUSED as above when the
 * line is about something that is not enforced; for limits that are set elsewhere.
 */
int limits_note(int run, const struct plan *plan, const struct limit_line *line, struct error *err);

/* The lines of an instance; none when it has no file. The caller frees. */
void limits_read(const struct site *site, const char *id, struct limit_line **ret_lines,
		 size_t *ret_n);

/* What it uses now of the limit of that name; false where nothing counts it. */
bool limits_usage(const struct site *site, const struct record *record, const char *name,
		  uint64_t *ret_used);

#endif
