/* SPDX-License-Identifier: Apache-2.0 */
/* stint plan: what a template comes to, without starting anything. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "base/cleanup.h"

#include <stdio.h>

static int run_plan(const struct invocation *invocation)
{
	cleanup_text struct text text = {0};
	cleanup_plan struct plan *plan = NULL;
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int status = 0;

	if (site_locate(&site, &err) < 0 ||
	    compile_template(invocation, &site, false, &plan, &err) < 0) {
		status = report(&err);
	} else {
		plan_write_canonical(plan, &text);
		if (invocation->options.json)
			json_print(json_plan(plan));
		else
			fputs(text.data, stdout);
	}
	site_close(&site);
	return status;
}

const struct command plan_command = {
	.name = "plan",
	.usage = "TEMPLATE [OPTION...]",
	.options = "set env with-layer memory swap cpus disk pids files io-read io-write log-size "
		   "best-effort zone json",
	.summary = "print the resolved plan of a template",
	.description = "Prints what the template comes to with its parameters, variables and "
		       "defaults put in, in canonical form. Starts nothing.",
	.min_args = 1,
	.max_args = 1,
	.run = run_plan,
};
