/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: absolute deadlines on one of two clocks. A length counts on CLOCK_BOOTTIME, which no
 * clock step moves; a time of day follows the wall clock. A default never shortens what was asked
 * for. See instance.h.
 */
#include "instance/instance.h"
#include "base/clock.h"
#include "base/text.h"

#define UNTIL_MAX_S (10LL * 366 * 86400) /* from now, as for durations */

/* Nanoseconds since the epoch hold three centuries: what is asked for may be further away. */
static int check_until(int64_t until_s, struct error *err)
{
	if (until_s - clock_wall_ns() / NSEC_PER_SEC <= UNTIL_MAX_S)
		return 0;
	return error_say(err, ERROR_USAGE, "that is more than ten years away");
}

static int refuse_length(const struct lease *lease, int64_t length_ns, struct error *err)
{
	char length[32], max[32];

	format_duration(length_ns, length, sizeof(length));
	format_duration(lease->max_ns, max, sizeof(max));
	return error_say(err, ERROR_REFUSED, "a lease of %s is beyond the %s maximum of %s", length,
			 lease->max_of_quota ? "quota's" : "template's", max);
}

int lease_compute(const struct plan *plan, int64_t ttl_ns, int64_t until_s, struct lease *ret_lease,
		  struct error *err)
{
	struct lease lease = {
		.clock = LEASE_BOOTTIME,
		.source = ttl_ns >= 0 || until_s > 0 ? LEASE_FROM_OPTION : LEASE_FROM_TEMPLATE,
		.max_ns = plan->lease.max_ns,
		.max_of_quota = plan->lease.max_of_quota,
		.idle_source = LEASE_FROM_TEMPLATE,
		.frozen_ns = plan->lease.on_expiry == EXPIRY_FREEZE ? plan->lease.frozen_ns : 0,
	};
	int r = check_until(until_s, err);

	if (r < 0)
		return r;
	if (ttl_ns < 0 && until_s > 0) {
		lease.clock = LEASE_WALL;
		lease.deadline_ns = until_s * NSEC_PER_SEC;
		lease.length_ns = lease.deadline_ns - clock_wall_ns();
	} else {
		lease.length_ns = ttl_ns >= 0 ? ttl_ns : plan->lease.ttl_ns;
		lease.deadline_ns = clock_boottime_ns() + lease.length_ns;
	}
	if (lease.length_ns <= 0)
		return error_say(err, ERROR_USAGE, "a lease must end in the future");
	if (lease.max_ns && lease.length_ns > lease.max_ns)
		return refuse_length(&lease, lease.length_ns, err);
	/* a default does not shorten what was asked for */
	if (lease.source != LEASE_FROM_OPTION)
		lease.idle_ns = plan->lease.idle_ns;
	*ret_lease = lease;
	return 0;
}

int lease_extend(const struct lease *old, int64_t created_ns, int64_t more_ns, int64_t until_s,
		 struct lease *ret_lease, struct error *err)
{
	struct lease lease = *old;
	int64_t left, age = clock_wall_ns() - created_ns, old_left = lease_left_ns(old);
	int r = check_until(until_s, err);

	if (r < 0)
		return r;
	lease.source = LEASE_FROM_EXTEND;
	if (until_s > 0) {
		lease.clock = LEASE_WALL;
		lease.deadline_ns = until_s * NSEC_PER_SEC;
	} else {
		/* a frozen instance has had its time */
		lease.deadline_ns += more_ns - (old_left < 0 ? old_left : 0);
	}
	left = lease_left_ns(&lease);
	if (left <= 0)
		return error_say(err, ERROR_USAGE,
				 "that deadline is in the past; use 'stint down'");
	if (lease.max_ns && age + left > lease.max_ns)
		return refuse_length(&lease, age + left, err);
	lease.length_ns = left;
	*ret_lease = lease;
	return 0;
}

int64_t lease_left_ns(const struct lease *lease)
{
	int64_t now = lease->clock == LEASE_WALL ? clock_wall_ns() : clock_boottime_ns();

	return lease->deadline_ns - now;
}

int64_t lease_deadline_wall_s(const struct lease *lease)
{
	if (lease->clock == LEASE_WALL)
		return lease->deadline_ns / NSEC_PER_SEC;
	return (clock_wall_ns() + lease_left_ns(lease)) / NSEC_PER_SEC;
}

int64_t instance_left_ns(const struct record *record, const struct status *status)
{
	if (record->kept_until_ns)
		return record->kept_until_ns - clock_wall_ns();
	if (status->state == STATE_FROZEN)
		return status->frozen_until_ns - clock_boottime_ns();
	return lease_left_ns(&record->grant.lease);
}
