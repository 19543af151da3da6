/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an instance counts as ready: its server answers, as the forwarder or a command inside says,
 * and the hook that follows upon that has ended; see keeper.h.
 */
#include "keeper/keeper.h"
#include "base/clock.h"

#include <stdio.h>

void ready_declare(struct keeper *keeper)
{
	struct control_packet packet = {.verb = CONTROL_READY};
	char after[32];

	keeper->status.state = STATE_READY;
	keeper->status.ready_ns = clock_boottime_ns();
	deadline_touch(keeper);
	keeper_write_status(keeper);
	packet.number = keeper->status.ready_ns - keeper->status.started_ns;
	format_duration(packet.number, after, sizeof(after));
	keeper_tell_event(keeper, "ready", after);
	clients_tell(keeper, &packet);
	if (keeper->message.spare)
		spare_freeze(keeper);
}

/* Its hook may use it by now; a server that was started again does not get another one. */
void ready_answers(struct keeper *keeper)
{
	if (keeper->status.state != STATE_STARTING || keeper->phase != PHASE_RUNNING)
		return;
	keeper->answers = true;
	if (keeper->hook != HOOK_AFTER_READY && !hook_begin(keeper, HOOK_AFTER_READY))
		ready_declare(keeper);
}

void ready_tried(struct keeper *keeper, const struct tried *tried)
{
	if (tried_is_sane(tried, &keeper->message.ready))
		keeper->tried = *tried;
}

static void give_up(struct keeper *keeper)
{
	struct control_packet failed = {.verb = CONTROL_FAILED,
					.number = tried_may_change(&keeper->tried)};
	char bound[32], last[CONTROL_REASON_SIZE], reason[CONTROL_REASON_SIZE];

	format_duration(keeper->message.ready.timeout_ns, bound, sizeof(bound));
	tried_describe(&keeper->tried, &keeper->message, last, sizeof(last));
	snprintf(reason, sizeof(reason), "not ready within %s%s%.*s", bound, *last ? ": " : "",
		 CONTROL_REASON_SIZE - 49, last);
	error_say(&failed.error, ERROR_NOT_READY, "%s", reason);
	clients_tell(keeper, &failed);
	keeper->status.failed = true;
	keeper_stop(keeper, reason);
}

void ready_check(struct keeper *keeper, int64_t now)
{
	const struct plan_ready *ready = &keeper->message.ready;
	struct control_packet probe = {
		.verb = INIT_EXEC, .number = KEY_PROBE, .argv = ready->command};

	if (keeper->phase != PHASE_RUNNING || keeper->status.state != STATE_STARTING ||
	    keeper->answers)
		return;
	if (ready->timeout_ns && now >= keeper->server_started_ns + ready->timeout_ns) {
		give_up(keeper);
	} else if (ready->kind == READY_COMMAND && !keeper->probe_running &&
		   now >= keeper->next_probe_ns) {
		keeper->probe_running = true;
		keeper_tell_init(keeper, &probe, NULL, 0);
	}
}
