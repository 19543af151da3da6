/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an instance ends by itself: at its deadline, or when it was not used for as long as its
 * lease says; the warnings before that, and the freezing instead of it. Times are boot times, but
 * for the deadline itself, which is on the lease's clock.
 */
#include "keeper/keeper.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NEVER INT64_MAX

/* What is left, and of what. */
struct rest {
	int64_t deadline, idle; /* ns; idle NEVER: no such rule, or not yet */
};

static int64_t earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What goes on now is use at this moment: connections, commands inside, one that it is tied to. */
static int64_t last_use(const struct keeper *keeper, int64_t now)
{
	int64_t used = keeper->used_ns;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (keeper->clients[i].fd >= 0 &&
		    (keeper->clients[i].exec_key || keeper->clients[i].tie))
			return now;
	for (size_t i = 0; keeper->shared && i < keeper->message.n_ports; i++) {
		const struct port_counts *port = &keeper->shared->ports[i];

		if (port->now)
			return now;
		if (port->used_ns > used)
			used = port->used_ns;
	}
	return earliest(used, now);
}

static struct rest rest_of(const struct keeper *keeper, int64_t now)
{
	const struct lease *lease = &keeper->message.lease;
	struct rest rest = {.idle = NEVER};

	if (keeper->status.state == STATE_FROZEN) {
		rest.deadline = keeper->status.frozen_until_ns - now;
		return rest;
	}
	rest.deadline = lease->deadline_ns - (lease->clock == LEASE_WALL ? clock_wall_ns() : now);
	if (lease->idle_ns && keeper->status.state == STATE_READY)
		rest.idle = lease->idle_ns - (now - last_use(keeper, now));
	return rest;
}

/* Stopping begins before the deadline, by at most what it may take or a tenth of the lease. */
static int64_t stop_before(const struct keeper *keeper)
{
	const struct lease *lease = &keeper->message.lease;
	int64_t length = keeper->status.state == STATE_FROZEN ? lease->frozen_ns : lease->length_ns;

	/* it does not end then; and whom nobody has used has nothing to bring to an end */
	if ((keeper->status.state != STATE_FROZEN && lease->frozen_ns) || spare_waits(keeper))
		return 0;
	return earliest(length / 10,
			keeper->message.grace_ns + keeper->message.hooks_ns[HOOK_BEFORE_STOP]);
}

void deadline_touch(struct keeper *keeper)
{
	keeper->used_ns = clock_boottime_ns();
	if (keeper->shared)
		keeper->shared->touched_ns = keeper->used_ns;
}

void deadline_set_freezer(const struct keeper *keeper, bool frozen)
{
	(void)!pwrite(keeper->freezer, frozen ? "1" : "0", 1, 0);
}

static void freeze(struct keeper *keeper, int64_t now, const char *reason)
{
	snprintf(keeper->frozen_reason, sizeof(keeper->frozen_reason), "%s", reason);
	keeper_tell_forwarder(keeper, FORWARDER_PAUSE);
	/* it ends, and must be able to die */
	if (keeper->phase != PHASE_RUNNING)
		return;
	deadline_set_freezer(keeper, true);
	keeper->status.state = STATE_FROZEN;
	keeper->status.frozen_until_ns = now + keeper->message.lease.frozen_ns;
	keeper_write_status(keeper);
	keeper_tell_event(keeper, "frozen", reason);
}

bool deadline_is_over(const struct keeper *keeper)
{
	const struct lease *lease = &keeper->message.lease;
	int64_t now = lease->clock == LEASE_WALL ? clock_wall_ns() : clock_boottime_ns();

	return keeper->status.state == STATE_FROZEN && lease->deadline_ns <= now;
}

bool deadline_thaw(struct keeper *keeper)
{
	if (keeper->status.state != STATE_FROZEN)
		return false;
	deadline_set_freezer(keeper, false);
	keeper->status.state = STATE_READY;
	keeper->status.frozen_until_ns = 0;
	keeper_write_status(keeper);
	keeper_tell_event(keeper, "thawed", "");
	return true;
}

/* The most urgent warning that is due with so much left; 0: none. */
static int64_t due_warning(const struct keeper *keeper, int64_t left)
{
	const int64_t *before = keeper->message.warning.before_ns;
	int64_t due = 0;

	for (size_t i = 0; i < PLAN_WARNINGS_MAX && before[i]; i++)
		if (left <= before[i])
			due = before[i];
	return due;
}

/* An end that moves away is warned of anew; what is close at the start is no news. */
static void check_warning(struct keeper *keeper, const struct rest *rest)
{
	int64_t left = earliest(rest->deadline, rest->idle);
	int64_t due = due_warning(keeper, left), last = keeper->warned_ns;

	if (keeper->phase != PHASE_RUNNING || keeper->status.state == STATE_FROZEN ||
	    keeper->message.spare)
		return;
	keeper->warned_ns = due;
	if (keeper->looked && due && (!last || due < last))
		warning_give(keeper, left, rest->idle < rest->deadline);
	else if (last && (!due || due > last))
		warning_take_back(keeper, left);
	keeper->looked = true;
}

static bool may_freeze(const struct keeper *keeper)
{
	return keeper->message.lease.frozen_ns && keeper->phase == PHASE_RUNNING &&
	       keeper->status.state == STATE_READY;
}

static void end_idle(struct keeper *keeper, int64_t now)
{
	char idle[32], reason[CONTROL_REASON_SIZE];

	format_duration(keeper->message.lease.idle_ns, idle, sizeof(idle));
	snprintf(reason, sizeof(reason), "idle for %s", idle);
	if (may_freeze(keeper))
		freeze(keeper, now, reason);
	else
		keeper_stop(keeper, reason);
}

void deadline_check(struct keeper *keeper, int64_t now)
{
	struct rest rest = rest_of(keeper, now);
	const char *reason = keeper->status.state == STATE_FROZEN ? keeper->frozen_reason
			     : keeper->message.spare ? "nobody claimed the spare in time"
						     : "expired";

	check_warning(keeper, &rest);
	if (rest.deadline <= 0 && may_freeze(keeper))
		freeze(keeper, now, reason);
	else if (rest.deadline <= 0)
		keeper_kill(keeper, reason);
	else if (rest.deadline <= stop_before(keeper))
		keeper_stop(keeper, reason);
	else if (rest.idle <= 0 && keeper->phase == PHASE_RUNNING)
		end_idle(keeper, now);
}

/* The next moment, from now, at which a rest of that length means something. */
static int64_t next_of(const struct keeper *keeper, int64_t rest, int64_t last)
{
	const int64_t *before = keeper->message.warning.before_ns;
	int64_t next = rest;

	if (rest == NEVER)
		return NEVER;
	if (keeper->phase < PHASE_STOPPING && rest > last)
		next = rest - last;
	for (size_t i = 0; i < PLAN_WARNINGS_MAX && before[i]; i++)
		if (rest > before[i])
			next = earliest(next, rest - before[i]);
	return next > 0 ? next : 0;
}

int64_t deadline_next(const struct keeper *keeper, int64_t now, int64_t *ret_wall)
{
	struct rest rest = rest_of(keeper, now);
	bool frozen = keeper->status.state == STATE_FROZEN;
	int64_t next, idle;

	*ret_wall = NEVER;
	if (keeper->phase > PHASE_STOPPING)
		return NEVER;
	next = next_of(keeper, rest.deadline, stop_before(keeper));
	idle = next_of(keeper, rest.idle, 0);
	if (keeper->message.lease.clock == LEASE_WALL && !frozen) {
		*ret_wall = clock_wall_ns() + next;
		next = NEVER;
	}
	next = earliest(next, idle);
	return next == NEVER ? NEVER : now + next;
}

void deadline_map_counts(struct keeper *keeper)
{
	void *shared = MAP_FAILED;

	if (keeper->counts >= 0)
		shared = mmap(NULL, sizeof(struct counts), PROT_READ | PROT_WRITE, MAP_SHARED,
			      keeper->counts, 0);
	keeper->shared = shared == MAP_FAILED ? NULL : shared;
}
