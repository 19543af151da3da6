/* SPDX-License-Identifier: Apache-2.0 */
/* stint sweep: end what is overdue or has lost its keeper; and reap, its form for one id. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "base/cleanup.h"
#include "instance/guard.h"
#include "instance/leaks.h"
#include "instance/network.h"
#include "instance/reap.h"
#include "instance/spares.h"
#include "instance/sweep.h"

#include <stdio.h>

/* A sweep that says that nothing is left has looked. */
static int check(const struct site *site, struct sweep_result *result, struct error *err)
{
	struct leak_list leaks;
	int r = leaks_find(site, &leaks, err);

	if (r == 0 && leaks.n > 0) {
		result->left = (unsigned)leaks.n;
		r = error_say(err, ERROR_FAILED,
			      "%zu things are left behind, as the %s '%s': 'stint doctor --leaks' "
			      "names all",
			      leaks.n, leaks.list[0].sort, leaks.list[0].name);
	}
	leaks_deinit(&leaks);
	return r;
}

static int run_sweep(const struct invocation *invocation)
{
	struct site site = {.state = -1, .run = -1};
	struct sweep_result result = {0};
	struct error err = {0};
	int status = 0;

	if (place_open(&site, &err) < 0 || site_sweep(&site, true, &result, &err) < 0 ||
	    result.left > 0 || check(&site, &result, &err) < 0)
		status = report(&err);
	if (invocation->options.json)
		json_print(json_pack("{s:i, s:i, s:i}", "ended", (int)result.ended, "strays",
				     (int)result.strays, "left", (int)result.left));
	else if (status == 0 && result.ended + result.strays == 0)
		puts("nothing to sweep");
	else if (result.ended + result.strays + result.left > 0)
		printf("%u ended, %u strays removed, %u left\n", result.ended, result.strays,
		       result.left);
	fflush(stdout);
	if (status == 0)
		spares_fill_if_any(&site);
	site_close(&site);
	return status;
}

const struct command sweep_command = {
	.name = "sweep",
	.usage = "[OPTION...]",
	.options = "json",
	.summary = "end what is overdue and remove what was left behind",
	.description =
		"Ends every instance that is past its deadline, has lost its keeper or did not "
		"survive a restart of the host, and removes what has no record. Never returns 0 "
		"while something is left.",
	.max_args = 0,
	.run = run_sweep,
};

static int run_reap(const struct invocation *invocation)
{
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int status = 0, turn = reap_turn();

	if (place_open_anyway(&site, &err) < 0 ||
	    instance_end(&site, invocation->args[0], "keeper lost", &err) < 0)
		status = report(&err);
	if (site.run >= 0 && turn >= 0)
		reap_others(&site, turn);
	site_close(&site);
	return status;
}

static int run_mend(const struct invocation *invocation)
{
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int status = 0;

	(void)invocation;
	if (place_open_anyway(&site, &err) < 0 || network_mend(&site, &err) < 0)
		status = report(&err);
	site_close(&site);
	return status;
}

const struct command mend_command = {
	.name = "mend",
	.usage = "",
	.summary = "put back the firewall of zones; what a keeper runs when it is lost",
	.max_args = 0,
	.hidden = true,
	.run = run_mend,
};

/* It makes no place: where one has gone, it ends. */
static int run_guard(const struct invocation *invocation)
{
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int status = 0;

	if (site_locate(&site, &err) < 0 || guard_run(&site, invocation->args[0], &err) < 0)
		status = report(&err);
	site_close(&site);
	return status;
}

const struct command guard_command = {
	.name = "guard",
	.usage = "INSTALL",
	.summary = "look again and again at a live install that instances are on",
	.min_args = 1,
	.max_args = 1,
	.hidden = true,
	.run = run_guard,
};

const struct command reap_command = {
	.name = "reap",
	.usage = "ID",
	.summary = "undo an instance, and others that end now; what a keeper turns into",
	.min_args = 1,
	.max_args = 1,
	.hidden = true,
	.run = run_reap,
};
