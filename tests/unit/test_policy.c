/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/cli: what restricted callers may do, and what their options make of a plan. */
#include "world.h"
#include "cli/caller.h"
#include "cli/command.h"
#include "cli/policy.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define MIB (1ULL << 20)

/* An option that somebody adds is refused until it stands in the table; this says so to him. */
static void every_option_of_every_command_is_decided(void **state)
{
	(void)state;
	for (size_t i = 0; commands[i]; i++) {
		const char *command = commands[i]->name;

		if (commands[i]->hidden) {
			assert_false(policy_allows(command, NULL));
			continue;
		}
		if (!policy_allows(command, NULL))
			fail_msg("runtime/cli/policy.c does not know the command '%s'", command);
		for (const struct option_spec *spec = option_specs; spec->name; spec++)
			if (command_option(commands[i], spec->name, strlen(spec->name)) &&
			    !policy_decides(command, spec->name))
				fail_msg("runtime/cli/policy.c does not know '--%s' of '%s'",
					 spec->name, command);
	}
}

static void what_the_policy_does_not_name_is_refused(void **state)
{
	(void)state;
	assert_false(policy_allows("reap", NULL));
	assert_false(policy_allows("nosuch", NULL));
	assert_false(policy_allows("up", "nosuch"));
	assert_false(policy_allows("up", "best-effort"));
	assert_false(policy_allows("up", "best"));
	assert_false(policy_allows("up", "nam"));
	assert_true(policy_allows("up", "name"));
	assert_true(policy_decides("up", "best-effort"));
}

static int check_words(const char *name, char **words, int n, bool restricted, struct error *err)
{
	const struct caller caller = {.restricted = restricted, .uid = 1000};
	struct invocation invocation;
	int r = invocation_parse(command_find(name), n, words, &invocation, err);

	if (r == 0)
		r = caller_check(&caller, &invocation, err);
	invocation_deinit(&invocation);
	return r;
}

static void caller_check_looks_at_what_was_given(void **state)
{
	char *right[] = {(char *)"hello", (char *)"--name=a", (char *)"-e", (char *)"A=b"};
	char *wrong[] = {(char *)"hello", (char *)"--best-effort"};
	char *id[] = {(char *)"abcdef01"};
	struct error err;

	(void)state;
	assert_succeeds(check_words("up", right, 4, true, &err), &err);
	assert_fails(check_words("up", wrong, 2, true, &err), -EPERM, &err, "'--best-effort'");
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_fails(check_words("reap", id, 1, true, &err), -EPERM, &err, "'stint reap'");
	assert_succeeds(check_words("up", wrong, 2, false, &err), &err);
	assert_succeeds(check_words("reap", id, 1, false, &err), &err);
}

static void caller_bound_plan_of_limits(void **state)
{
	static const struct {
		uint64_t written, asked, quota;
		uint64_t result; /* 0: refused, or no limit at all when nothing was asked */
	} cases[] = {
		{0, 0, 0, 0},
		{0, 64 * MIB, 0, 64 * MIB},
		{64 * MIB, 64 * MIB, 0, 64 * MIB},
		{64 * MIB, 32 * MIB, 0, 32 * MIB},
		{64 * MIB, 65 * MIB, 0, 0},
		{64 * MIB, 0, 0, 0},
		/* the quota bounds it: the store counts */
		{64 * MIB, 65 * MIB, 400 * MIB, 65 * MIB},
		{0, 500 * MIB, 400 * MIB, 500 * MIB},
		/* an equal share for each of four */
		{0, 0, 400 * MIB, 100 * MIB},
		{64 * MIB, 0, 400 * MIB, 100 * MIB},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct plan_limits written = {.memory_bytes = cases[i].written};
		const struct quota quota = {.instances = 4, .memory_bytes = cases[i].quota};
		struct plan plan = {.limits.memory_bytes = cases[i].asked};
		struct error err = {0};
		int r = caller_bound_plan(&quota, &written, &plan, &err);

		if (cases[i].result || !cases[i].written) {
			assert_succeeds(r, &err);
			assert_int_equal(plan.limits.memory_bytes, cases[i].result);
		} else {
			assert_fails(r, -EPERM, &err, "may lower that limit");
		}
	}
}

static void caller_bound_plan_of_swap(void **state)
{
	const struct plan_limits none = {.has_swap = true};
	const struct quota quota = {0};
	struct plan plan = {.limits = {.has_swap = true}};
	struct error err;

	(void)state;
	assert_succeeds(caller_bound_plan(&quota, &none, &plan, &err), &err);
	plan.limits.swap_bytes = 1;
	assert_fails(caller_bound_plan(&quota, &none, &plan, &err), -EPERM, &err, "swap");
	plan.limits = (struct plan_limits){0};
	assert_fails(caller_bound_plan(&quota, &none, &plan, &err), -EPERM, &err, "swap");
}

static void caller_bound_plan_of_leases(void **state)
{
	static const struct {
		int64_t ttl, max, quota, ret_ttl, ret_max;
	} cases[] = {
		{10, 0, 0, 10, 0},    {10, 20, 0, 10, 20},  {10, 0, 15, 10, 15},
		{10, 20, 15, 10, 15}, {10, 12, 15, 10, 12}, {10, 20, 5, 5, 5},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct quota quota = {.ttl_ns = cases[i].quota};
		const struct plan_limits none = {0};
		struct plan plan = {.lease = {.ttl_ns = cases[i].ttl, .max_ns = cases[i].max}};
		struct error err;

		assert_succeeds(caller_bound_plan(&quota, &none, &plan, &err), &err);
		assert_int_equal(plan.lease.ttl_ns, cases[i].ret_ttl);
		assert_int_equal(plan.lease.max_ns, cases[i].ret_max);
		assert_true(plan.lease.max_of_quota == (cases[i].ret_max != cases[i].max));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_of_every_command_is_decided),
		cmocka_unit_test(what_the_policy_does_not_name_is_refused),
		cmocka_unit_test(caller_check_looks_at_what_was_given),
		cmocka_unit_test(caller_bound_plan_of_limits),
		cmocka_unit_test(caller_bound_plan_of_swap),
		cmocka_unit_test(caller_bound_plan_of_leases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
