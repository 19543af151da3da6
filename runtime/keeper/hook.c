/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks that are waited for: the big program runs them (instance/hook.h), kills them in time, and
 * says over the control socket what became of them; see keeper.h.
 */
#include "keeper/keeper.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>

/* How much later than a hook's own time its end is given up. */
#define MARGIN_NS (5 * NSEC_PER_SEC)

bool hook_begin(struct keeper *keeper, enum plan_hook_kind kind)
{
	char reason[CONTROL_REASON_SIZE + 16];
	char *argv[] = {(char *)"stint",
			(char *)"hook",
			keeper->message.id,
			(char *)plan_hook_names[kind],
			kind == HOOK_BEFORE_STOP ? reason : NULL,
			NULL};

	if (!keeper->message.hooks_ns[kind] || (keeper->hooks_begun & 1U << kind))
		return false;
	snprintf(reason, sizeof(reason), "STINT_REASON=%s", keeper->status.reason);
	keeper->hooks_begun |= 1U << kind;
	keeper->hook = kind;
	keeper->hook_until_ns = clock_boottime_ns() + keeper->message.hooks_ns[kind] + MARGIN_NS;
	keeper_run_stint(keeper, argv);
	return true;
}

static void fail_start(struct keeper *keeper, const char *how)
{
	struct control_packet failed = {.verb = CONTROL_FAILED};
	char reason[CONTROL_REASON_SIZE];

	text_cutf(reason, sizeof(reason), "%s", how);
	error_say(&failed.error, ERROR_FAILED, "%s", reason);
	clients_tell(keeper, &failed);
	keeper->status.failed = true;
	keeper_stop(keeper, reason);
}

void hook_ended(struct keeper *keeper, int64_t kind, bool failed, const char *how)
{
	if (kind != keeper->hook)
		return;
	keeper->hook = -1;
	if (kind == HOOK_BEFORE_STOP && keeper->phase == PHASE_STOPPING)
		keeper_ask_server(keeper);
	if (kind != HOOK_AFTER_READY || keeper->phase != PHASE_RUNNING)
		return;
	if (failed)
		fail_start(keeper, how);
	else if (keeper->answers)
		ready_declare(keeper);
}

void hook_check(struct keeper *keeper, int64_t now)
{
	char how[64];

	if (keeper->hook < 0 || now < keeper->hook_until_ns)
		return;
	snprintf(how, sizeof(how), "hook %s: its end was not heard of",
		 plan_hook_names[keeper->hook]);
	hook_ended(keeper, keeper->hook, true, how);
}
