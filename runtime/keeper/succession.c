/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance that takes the place of another one, and one whose place was taken; see keeper.h.
 * Both hold the same listening sockets for a while, so that no connection is refused in between. In
 * the keeper.
 */
#include "keeper/keeper.h"
#include "keeper/succession.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* A connection is idle between two requests: longer than most clients and servers think. */
#define IDLE_MS 1000
/* At last what would be cut a moment later is ended where it pauses at all. */
#define IDLE_IN_HURRY_MS 50
#define HURRY_NS (3 * NSEC_PER_SEC)

/* Seen by whoever has to bring to an end what a command began that was killed. */
static int leave_mark(const struct keeper *keeper, int64_t drain_ns, struct error *err)
{
	char text[32];
	int r;

	snprintf(text, sizeof(text), "%" PRId64 "\n", drain_ns);
	r = file_replace(keeper->run, SUCCESSION_TAKEN, text, 0600);
	return r < 0 ? error_set(err, -r, "cannot create '%s' in its run directory",
				 SUCCESSION_TAKEN)
		     : 0;
}

void succession_open(struct keeper *keeper)
{
	if (!keeper->message.reserved)
		keeper_tell_forwarder(keeper, FORWARDER_OPEN);
}

int succession_take(struct keeper *keeper, int64_t drain_ns, struct error *err)
{
	int r;

	if (keeper->status.state != STATE_READY)
		return error_say(err, ERROR_FAILED, "the successor is %s",
				 instance_state_name(keeper->status.state));
	r = leave_mark(keeper, drain_ns, err);
	if (r < 0)
		return r;
	keeper->message.reserved = false;
	succession_open(keeper);
	return 0;
}

void succession_drain(struct keeper *keeper, const char *reason, int64_t until_ns)
{
	if (keeper->phase >= PHASE_STOPPING || keeper->drain_until_ns)
		return;
	deadline_thaw(keeper);
	keeper->hurry_at_ns = until_ns - HURRY_NS;
	text_cutf(keeper->status.reason, sizeof(keeper->status.reason), "%s", reason);
	keeper->drain_until_ns = until_ns;
	keeper->status.state = STATE_STOPPING;
	keeper_write_status(keeper);
	keeper_tell_event(keeper, "draining", reason);
	keeper_tell_forwarder_drain(keeper, IDLE_MS);
}

void succession_end(struct keeper *keeper)
{
	if (keeper->drain_until_ns)
		keeper_stop(keeper, keeper->status.reason);
}

void succession_check(struct keeper *keeper, int64_t now)
{
	if (keeper->hurry_at_ns && now >= keeper->hurry_at_ns) {
		keeper->hurry_at_ns = 0;
		keeper_tell_forwarder_drain(keeper, IDLE_IN_HURRY_MS);
	}
	if (now >= keeper->drain_until_ns)
		succession_end(keeper);
}

int64_t succession_next(const struct keeper *keeper)
{
	if (!keeper->drain_until_ns || keeper->phase >= PHASE_STOPPING)
		return INT64_MAX;
	return keeper->hurry_at_ns ? keeper->hurry_at_ns : keeper->drain_until_ns;
}
