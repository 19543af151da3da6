/* SPDX-License-Identifier: Apache-2.0 */
/* A template's check, for the commands that run it. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "cli/command.h"
#include "plan/plan.h"

#define CHECK_TIMED_OUT (-1)
#define CHECK_CANCELLED (-2)

/*
 * Runs the check inside the instance of that name, with what it prints on standard error. Returns
 * its status, or one of the above: cancel is readable once it is to stop. The invocation is that of
 * the command that asks.
 */
int check_run(const struct invocation *invocation, const char *name,
	      const struct plan_check_command *check, int cancel, struct error *err);

#endif
