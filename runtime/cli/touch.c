/* SPDX-License-Identifier: Apache-2.0 */
/* stint touch: the instance is still in use. */
#include "cli/commands.h"
#include "cli/output.h"
#include "base/cleanup.h"
#include "instance/reach.h"

#include <stdio.h>

static void print_touched(const struct record *record)
{
	const struct lease *lease = &record->grant.lease;
	char idle[32], left[32];

	format_duration(lease->idle_ns, idle, sizeof(idle));
	format_duration(lease_left_ns(lease), left, sizeof(left));
	if (lease->idle_ns)
		printf("%s ends when it is not used for %s, and in %s at the latest\n",
		       record->grant.name, idle, left);
	else
		printf("%s does not end for want of use; it ends in %s\n", record->grant.name,
		       left);
}

static int run_touch(const struct invocation *invocation)
{
	cleanup_record struct record *record = NULL;
	struct site site = {.state = -1, .run = -1};
	struct control_packet packet = {.verb = CONTROL_TOUCH};
	struct error err = {0};
	int status = 0;

	if (open_running(invocation->caller, invocation->args[0], &site, &record, &err) < 0 ||
	    reach_tell(&site, record->grant.id, &packet, &err) < 0)
		status = report(&err);
	else
		print_touched(record);
	site_close(&site);
	return status;
}

const struct command touch_command = {
	.name = "touch",
	.usage = "NAME",
	.summary = "say that an instance is in use",
	.description = "An instance with an idle time ends when it has not been used for so long. "
		       "This counts as use, as a connection through a published port and a command "
		       "inside do. An instance that was frozen for want of use goes on.",
	.min_args = 1,
	.max_args = 1,
	.run = run_touch,
};
