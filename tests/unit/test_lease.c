/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/lease: when an instance ends, on which clock, and what may move that. */
#include "world.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "instance/instance.h"

#include <errno.h>
#include <string.h>

#define SECOND NSEC_PER_SEC
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define SLACK (10 * SECOND) /* how late a test may be between two looks at a clock */

static int64_t wall_s(void)
{
	return clock_wall_ns() / SECOND;
}

static void assert_between(int64_t low, int64_t value, int64_t high)
{
	assert_true(low <= value);
	assert_true(value <= high);
}

struct start {
	int64_t plan_ttl, plan_max, ttl; /* ttl -1: not given */
	int code;
	enum lease_source source;
	int64_t length;
	const char *words;
};

static const struct start starts[] = {
	/* the template's own */
	{HOUR, 0, -1, 0, LEASE_FROM_TEMPLATE, HOUR, NULL},
	{HOUR, 2 * HOUR, -1, 0, LEASE_FROM_TEMPLATE, HOUR, NULL},
	/* what is asked for counts, be it longer or shorter than the default */
	{HOUR, 0, 30 * HOUR, 0, LEASE_FROM_OPTION, 30 * HOUR, NULL},
	{HOUR, 0, MINUTE, 0, LEASE_FROM_OPTION, MINUTE, NULL},
	{HOUR, 2 * HOUR, 2 * HOUR, 0, LEASE_FROM_OPTION, 2 * HOUR, NULL},
	{HOUR, 0, 1, 0, LEASE_FROM_OPTION, 1, NULL},
	/* a maximum refuses, it never shortens */
	{HOUR, 2 * HOUR, 2 * HOUR + 1, -EPERM, 0, 0, "beyond the template's maximum of 2h"},
	{HOUR, 2 * HOUR, 3 * HOUR, -EPERM, 0, 0, "a lease of 3h"},
	{3 * HOUR, 2 * HOUR, -1, -EPERM, 0, 0, "maximum of 2h"},
	{HOUR, 0, 0, -EINVAL, 0, 0, "must end in the future"},
	{0, 0, -1, -EINVAL, 0, 0, "must end in the future"},
};

static void assert_starts(const struct start *start)
{
	struct plan plan = {.lease = {.ttl_ns = start->plan_ttl, .max_ns = start->plan_max}};
	struct lease lease = {.length_ns = 42};
	int64_t before = clock_boottime_ns();
	struct error err = {0};
	int r = lease_compute(&plan, start->ttl, 0, &lease, &err);

	if (start->code < 0) {
		assert_fails(r, start->code, &err, start->words);
		assert_true(lease.length_ns == 42);
		return;
	}
	assert_succeeds(r, &err);
	assert_int_equal(lease.clock, LEASE_BOOTTIME);
	assert_int_equal(lease.source, start->source);
	assert_true(lease.length_ns == start->length);
	assert_true(lease.max_ns == start->plan_max);
	assert_between(before + start->length, lease.deadline_ns, before + start->length + SLACK);
}

static void lease_compute_of_a_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		assert_starts(&starts[i]);
}

static void lease_compute_until_a_time_of_day(void **state)
{
	struct plan plan = {.lease = {.ttl_ns = MINUTE, .max_ns = 3 * HOUR}};
	int64_t until = wall_s() + 7200;
	struct lease lease;
	struct error err;

	(void)state;
	assert_succeeds(lease_compute(&plan, -1, until, &lease, &err), &err);
	assert_int_equal(lease.clock, LEASE_WALL);
	assert_int_equal(lease.source, LEASE_FROM_OPTION);
	assert_true(lease.deadline_ns == until * SECOND);
	assert_between(2 * HOUR - SLACK, lease.length_ns, 2 * HOUR);
	assert_true(lease_deadline_wall_s(&lease) == until);
}

static void lease_compute_until_what_cannot_be(void **state)
{
	struct plan plan = {.lease = {.ttl_ns = MINUTE, .max_ns = 3 * HOUR}};
	struct lease lease;
	struct error err;

	(void)state;
	assert_fails(lease_compute(&plan, -1, wall_s() + 4 * 3600, &lease, &err), -EPERM, &err,
		     "maximum of 3h");
	plan.lease.max_of_quota = true;
	assert_fails(lease_compute(&plan, -1, wall_s() + 4 * 3600, &lease, &err), -EPERM, &err,
		     "the quota's maximum of 3h");
	assert_fails(lease_compute(&plan, -1, wall_s() - 1, &lease, &err), -EINVAL, &err,
		     "in the future");
	assert_fails(lease_compute(&plan, -1, 1, &lease, &err), -EINVAL, &err, "in the future");
}

/* Beyond what nanoseconds since the epoch can say: refused, and never wrapped into the past. */
static void lease_compute_until_the_far_future(void **state)
{
	static const int64_t years_s[] = {9223372036, 9223372037, 253402300799, INT64_MAX};
	struct plan plan = {.lease = {.ttl_ns = MINUTE, .max_ns = HOUR}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(years_s); i++) {
		struct lease lease;
		struct error err;
		int r = lease_compute(&plan, -1, years_s[i], &lease, &err);

		assert_true(r < 0);
	}
}

struct extension {
	enum lease_clock clock;
	int64_t left, age, max; /* of the old lease */
	int64_t more;
	int code;
	int64_t new_left;
	const char *words;
};

static const struct extension extensions[] = {
	{LEASE_BOOTTIME, MINUTE, HOUR, 0, HOUR, 0, HOUR + MINUTE, NULL},
	{LEASE_WALL, MINUTE, HOUR, 0, HOUR, 0, HOUR + MINUTE, NULL},
	/* a deadline that has passed, of a frozen instance say, is moved from now on */
	{LEASE_BOOTTIME, -2 * HOUR, HOUR, 0, HOUR, 0, HOUR, NULL},
	{LEASE_WALL, -2 * HOUR, HOUR, 0, HOUR, 0, HOUR, NULL},
	/* a negative extension shortens, but not into the past */
	{LEASE_BOOTTIME, HOUR, HOUR, 0, -MINUTE, 0, HOUR - MINUTE, NULL},
	{LEASE_BOOTTIME, HOUR, HOUR, 0, -2 * HOUR, -EINVAL, 0, "stint down"},
	/* the maximum counts from the start, not from now */
	{LEASE_BOOTTIME, HOUR, HOUR, 4 * HOUR, HOUR, 0, 2 * HOUR, NULL},
	{LEASE_BOOTTIME, HOUR, HOUR, 4 * HOUR, 2 * HOUR + MINUTE, -EPERM, 0, "maximum of 4h"},
	{LEASE_WALL, HOUR, HOUR, 2 * HOUR, MINUTE, -EPERM, 0, "maximum of 2h"},
	{LEASE_WALL, HOUR, HOUR, 2 * HOUR, -MINUTE, 0, HOUR - MINUTE, NULL},
};

static struct lease old_lease(const struct extension *extension)
{
	int64_t now = extension->clock == LEASE_WALL ? clock_wall_ns() : clock_boottime_ns();

	return (struct lease){.clock = extension->clock,
			      .source = LEASE_FROM_TEMPLATE,
			      .deadline_ns = now + extension->left,
			      .length_ns = extension->left + extension->age,
			      .max_ns = extension->max};
}

static void assert_extends(const struct extension *extension)
{
	struct lease old = old_lease(extension), lease = {.length_ns = 42};
	int64_t created = clock_wall_ns() - extension->age;
	struct error err = {0};
	int r = lease_extend(&old, created, extension->more, 0, &lease, &err);

	if (extension->code < 0) {
		assert_fails(r, extension->code, &err, extension->words);
		assert_true(lease.length_ns == 42);
		return;
	}
	assert_succeeds(r, &err);
	assert_int_equal(lease.clock, old.clock);
	assert_int_equal(lease.source, LEASE_FROM_EXTEND);
	assert_true(lease.max_ns == old.max_ns);
	if (extension->left > 0)
		assert_true(lease.deadline_ns == old.deadline_ns + extension->more);
	assert_between(extension->new_left - SLACK, lease.length_ns, extension->new_left);
	assert_between(lease.length_ns - SLACK, lease_left_ns(&lease), lease.length_ns);
}

static void lease_extend_by_a_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++)
		assert_extends(&extensions[i]);
}

static void lease_extend_until_a_time_of_day(void **state)
{
	struct lease old = {.deadline_ns = clock_boottime_ns() + HOUR, .max_ns = 4 * HOUR}, lease;
	int64_t created = clock_wall_ns() - HOUR, until = wall_s() + 7200;
	struct error err;

	(void)state;
	assert_succeeds(lease_extend(&old, created, 0, until, &lease, &err), &err);
	assert_int_equal(lease.clock, LEASE_WALL);
	assert_true(lease.deadline_ns == until * SECOND);
	assert_fails(lease_extend(&old, created, 0, until + 7200, &lease, &err), -EPERM, &err,
		     "maximum of 4h");
	assert_fails(lease_extend(&old, created, 0, wall_s() - 1, &lease, &err), -EINVAL, &err,
		     "in the past");
}

/* A lease that went over to the wall clock stays there. */
static void lease_extend_of_an_extended_lease(void **state)
{
	struct lease old = {.deadline_ns = clock_boottime_ns() + HOUR}, once, twice;
	int64_t created = clock_wall_ns(), until = wall_s() + 7200;
	struct error err;

	(void)state;
	assert_succeeds(lease_extend(&old, created, 0, until, &once, &err), &err);
	assert_succeeds(lease_extend(&once, created, HOUR, 0, &twice, &err), &err);
	assert_int_equal(twice.clock, LEASE_WALL);
	assert_true(twice.deadline_ns == (until + 3600) * SECOND);
}

static void lease_left_ns_on_both_clocks(void **state)
{
	struct lease boot = {.clock = LEASE_BOOTTIME, .deadline_ns = clock_boottime_ns() - HOUR};
	struct lease wall = {.clock = LEASE_WALL, .deadline_ns = clock_wall_ns() + HOUR};

	(void)state;
	assert_between(-HOUR - SLACK, lease_left_ns(&boot), -HOUR);
	assert_between(HOUR - SLACK, lease_left_ns(&wall), HOUR);
	assert_between(wall_s() - 3600 - 10, lease_deadline_wall_s(&boot), wall_s() - 3600 + 1);
	assert_true(lease_deadline_wall_s(&wall) == wall.deadline_ns / SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lease_compute_of_a_length),
		cmocka_unit_test(lease_compute_until_a_time_of_day),
		cmocka_unit_test(lease_compute_until_what_cannot_be),
		cmocka_unit_test(lease_compute_until_the_far_future),
		cmocka_unit_test(lease_extend_by_a_length),
		cmocka_unit_test(lease_extend_until_a_time_of_day),
		cmocka_unit_test(lease_extend_of_an_extended_lease),
		cmocka_unit_test(lease_left_ns_on_both_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
