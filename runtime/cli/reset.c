/* SPDX-License-Identifier: Apache-2.0 */
/* stint reset: an instance as it was right after its start. */
#include "cli/commands.h"
#include "cli/session.h"

static int run_reset(const struct invocation *invocation)
{
	struct session session;
	struct error err = {0};
	int status = 0;
	int r = session_reset(invocation, &session, &err);

	if (r == 0)
		r = invocation->options.no_wait ? session_wait_started(&session, &err)
						: session_wait_ready(&session, &err);
	status = r < 0 ? report(&err) : session_print(&session);
	if (session.interrupted)
		status = 128 + session.interrupted;
	session_deinit(&session);
	return status;
}

const struct command reset_command = {
	.name = "reset",
	.usage = "NAME [OPTION...]",
	.options = "secret no-wait json",
	.summary = "bring an instance back to its beginning",
	.description =
		"Ends everything that runs in the instance, throws away what it has written, and "
		"starts its server anew. Name, id, address, zone, published ports, deadline, "
		"limits, owner and generation stay; connections that come meanwhile wait and are "
		"answered. Secrets that were given with --secret must be given again. Its hooks "
		"before the start and before the stop do not run. Once it has begun, the reset "
		"goes on without this command; a server that does not get ready in time ends as "
		"one that was just started.",
	.min_args = 1,
	.max_args = 1,
	.run = run_reset,
};
