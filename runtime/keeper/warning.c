/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings before the end, as the template wants them: in the log, inside, and on the host. */
#include "keeper/keeper.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

static int64_t seconds_of(int64_t left)
{
	return left > 0 ? (left + NSEC_PER_SEC - 1) / NSEC_PER_SEC : 0;
}

static void run_command(struct keeper *keeper, const char *seconds)
{
	cleanup_free char *variable = xasprintf("STINT_SECONDS_LEFT=%s", seconds);
	char *env[] = {variable, NULL};
	struct control_packet packet = {.verb = INIT_EXEC,
					.number = KEY_WARNING,
					.argv = keeper->message.warning.command,
					.env = env};

	keeper_tell_init(keeper, &packet, NULL, 0);
}

static void write_file(struct keeper *keeper, int64_t left)
{
	cleanup_free char *content = xasprintf("%lld\n", (long long)seconds_of(left));
	char *argv[] = {content, NULL};
	struct control_packet packet = {.verb = INIT_EXEC,
					.number = KEY_WARNING,
					.text = keeper->message.warning.file,
					.argv = argv};

	if (packet.text)
		keeper_tell_init(keeper, &packet, NULL, 0);
}

/* Nobody waits for it. */
static void run_hook(const struct keeper *keeper, const char *seconds)
{
	cleanup_free char *variable = xasprintf("STINT_SECONDS_LEFT=%s", seconds);
	char *argv[] = {(char *)"stint", (char *)"hook", keeper->message.id,
			(char *)"warn",	 variable,	 NULL};

	keeper_run_stint(keeper, argv);
}

void warning_give(struct keeper *keeper, int64_t left, bool idle)
{
	const struct plan_warning *warning = &keeper->message.warning;
	cleanup_free char *seconds = xasprintf("%lld", (long long)seconds_of(left));
	struct control_packet signal = {.verb = INIT_SIGNAL_SERVER, .number = warning->signal};
	cleanup_free char *detail = xasprintf("%s s left%s", seconds, idle ? ", unless used" : "");

	keeper_tell_forwarder_left(keeper, (uint32_t)seconds_of(left), idle);
	keeper->status.warned_ns = clock_boottime_ns();
	keeper_write_status(keeper);
	keeper_tell_event(keeper, "warned", detail);
	write_file(keeper, left);
	if (warning->signal)
		keeper_tell_init(keeper, &signal, NULL, 0);
	if (warning->command && warning->command[0])
		run_command(keeper, seconds);
	if (warning->hook && warning->hook[0])
		run_hook(keeper, seconds);
}

void warning_take_back(struct keeper *keeper, int64_t left)
{
	keeper->status.warned_ns = 0;
	keeper_write_status(keeper);
	write_file(keeper, left);
}
