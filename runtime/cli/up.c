/* SPDX-License-Identifier: Apache-2.0 */
/* stint up: start an instance that lives until its deadline. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "instance/obstacles.h"
#include "instance/spares.h"

#include <signal.h>
#include <stdio.h>

/* The instance is up all the same: what it may reach is another matter. */
static void warn_of_obstacles(const char *zone, const struct obstacle_list *found,
			      const struct error *err)
{
	if (err->code < 0)
		report_note("cannot try what zone '%s' may reach: %s", zone, err->text);
	for (size_t i = 0; i < found->n; i++)
		report_note("zone '%s': %s%s%s", zone, found->list[i].text,
			    found->list[i].fix ? "; fix: " : "",
			    found->list[i].fix ? found->list[i].fix : "");
}

/* What is in its way is looked for while the server starts. */
static int wait_and_look(struct session *session, bool no_wait, struct error *err)
{
	struct obstacle_list found;
	struct error untried = {0};
	int r;

	(void)obstacles_find(&session->site, session->instance.record, &found, &untried);
	r = no_wait ? session_wait_started(session, err) : session_wait_ready(session, err);
	if (r == 0)
		r = session_release(session, err);
	if (r == 0)
		warn_of_obstacles(session->instance.record->zone, &found, &untried);
	obstacle_list_deinit(&found);
	return r;
}

static int run_up(const struct invocation *invocation)
{
	struct session session;
	struct error err = {0};
	int64_t begun_ns = clock_boottime_ns();
	int status = 0;
	int r = session_start(invocation, &session, &err);

	if (r == 0)
		r = wait_and_look(&session, invocation->options.no_wait, &err);
	if (r < 0)
		status = report(&err);
	else
		status = session_print(&session);
	if (r == 0)
		session_note_pool(&session, clock_boottime_ns() - begun_ns);
	else if (session.instance.pool == POOL_CLAIMED || session.interrupted)
		spares_fill_if_any(&session.site); /* it may have had a spare already */
	if (session.interrupted)
		status = 128 + session.interrupted;
	session_deinit(&session);
	return status;
}

const struct command up_command = {
	.name = "up",
	.usage = "TEMPLATE [OPTION...]",
	.options = "name ttl until idle keep-failed publish set env secret with with-layer no-wait "
		   "no-hold queue queue-for recreate "
		   "memory swap cpus disk pids files io-read io-write "
		   "log-size best-effort zone json",
	.summary = "start an instance that lives until its deadline",
	.description =
		"Starts a throwaway copy of the server that TEMPLATE describes, waits until it is "
		"ready, and prints the address of each published port and the deadline. "
		"TEMPLATE is a name (see \"stint template ls\") or the path of a file. When the "
		"server dies or does not get ready in time, its last lines are shown and nothing "
		"is left behind; the same when the command is interrupted. Where there is no room "
		"for "
		"it, of the host's or of the caller's quota, the command says what would give some "
		"(exit code 5), or waits for its turn with --queue.",
	.min_args = 1,
	.max_args = 1,
	.run = run_up,
};
