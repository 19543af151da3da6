/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who called, and what he may do. Members of the group "stint" who came through sudo are
 * restricted: to them this program gives instances of the administrator's templates, not the rights
 * of root. Found out before anything else, also before the command line is read; docs/callers.md
 * says what is promised.
 */
#ifndef CLI_CALLER_H
#define CLI_CALLER_H

#include "base/error.h"
#include "base/trust.h"
#include "instance/site.h"
#include "plan/plan.h"

#include <stdbool.h>
#include <sys/resource.h>

struct invocation;
struct template_options;

#define CALLER_LIMITS_MAX 8

struct caller {
	bool restricted;
	uid_t uid;     /* of the person: SUDO_UID's when root was reached through sudo */
	char name[65]; /* login name of a restricted caller, or his number */
	mode_t umask;
	struct rlimit limits[CALLER_LIMITS_MAX]; /* what a restricted caller came with */
};

/*
 * Fills ret_caller. Of a restricted one nothing is kept that could steer this program: his
 * environment is replaced, his limits are raised, his umask is not ours, his terminal cannot stop
 * it. ERROR_REFUSED whenever it cannot be told who he is.
 */
int caller_find(struct caller *ret_caller, struct error *err);

/* Whether he may give this command with these options. ERROR_REFUSED says what is not for him. */
int caller_check(const struct caller *caller, const struct invocation *invocation,
		 struct error *err);

/* Gives a child back what was taken from the caller, for a program that runs as himself. */
void caller_restore(const struct caller *caller);

/* store_load, but other people's instances do not exist for a restricted caller. */
int caller_load(const struct caller *caller, struct store *store, const char *name,
		struct record **ret_record, struct error *err);

/* Whether he may see and change the instance. */
bool caller_owns(const struct caller *caller, const struct record *record);

/*
 * Makes the options what holds for the caller. ret_trust is what they point to. starts: what is
 * compiled will run, so that files of third persons are refused to everybody.
 */
void caller_set_template_options(const struct caller *caller, bool starts,
				 struct template_options *options, struct trust *ret_trust);

/* NULL: he has none. Lives as long as the site. */
const struct quota *caller_quota(const struct caller *caller, const struct site *site);

/* The limit of memory that his quota makes where nobody says one; 0: none. quota may be NULL. */
uint64_t caller_memory(const struct quota *quota);

/*
 * Keeps a plan within the quota and the template, which limited it to written before the command
 * line came: a limit may be raised only where the quota bounds it; where there is none and the
 * quota wants one, it becomes an equal share of it; no lease is longer than the quota's.
 */
int caller_bound_plan(const struct quota *quota, const struct plan_limits *written,
		      struct plan *plan, struct error *err);

#endif
