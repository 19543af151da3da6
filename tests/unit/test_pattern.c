/* SPDX-License-Identifier: Apache-2.0 */
/* templates/pattern: what a log pattern may be, before glibc's compiler sees it. */
#include "templates/pattern.h"
#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* glibc would take seconds to minutes for them. */
static void pattern_check_refuses_copies_of_what_can_be_empty(void **state)
{
	static const char *const patterns[] = {
		"x(){1977,}",	  "((){900})+", "(a?){600,}",
		"(a*)+",	  "(a|){30}",	"(|a){30}",
		"(a{0,3}){300,}", "(\\b)+",	"((a?b?)(c*)){200,}",
	};
	char why[PATTERN_FAULT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		assert_int_equal(pattern_check(patterns[i], why), -EINVAL);
		assert_string_equal(why, "it repeats what can be empty");
	}
}

static void pattern_check_takes_what_is_written_for_servers(void **state)
{
	static const char *const patterns[] = {
		"started in [0-9]+ ms",
		"^[{]\"level\":",
		"(a|b)+",
		"(INFO|WARN)? *Server (up)?$",
		"(x?y)+",
		"([0-9]{1,3}\\.){3}[0-9]{1,3}",
		"^(.*[[:space:]])?ready$",
		"(a{1,3}|b+){2,9}",
		"x{0,1}",
		"(a*)*",
	};
	char why[PATTERN_FAULT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (pattern_check(patterns[i], why) < 0)
			fail_msg("'%s': %s", patterns[i], why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pattern_check_refuses_copies_of_what_can_be_empty),
		cmocka_unit_test(pattern_check_takes_what_is_written_for_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
