/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/tried: the words for what was tried last, and numbers that nobody may believe. */
#include "keeper/tried.h"
#include "keeper/message.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct start_message http = {
	.ready = {.kind = READY_HTTP,
		  .checks = {{.kind = READY_HTTP,
			      .port = 80,
			      .path = (char *)"/a",
			      .status_from = 200,
			      .status_to = 399},
			     {.kind = READY_TCP, .port = 81}},
		  .n_checks = 2},
	.address = 0x0a000001,
	.check_flags = {0, PORT_LOOPBACK},
};

static void expect(const struct start_message *message, struct tried tried, const char *words)
{
	char text[160];

	tried_describe(&tried, message, text, sizeof(text));
	assert_string_equal(text, words);
}

static void tried_describe_names_what_was_asked_and_what_came(void **state)
{
	(void)state;
	expect(&http, (struct tried){TRIED_NOTHING, 0, 0}, "");
	expect(&http, (struct tried){TRIED_STATUS, 0, 404},
	       "GET http://10.0.0.1:80/a answered 404, wanted 200-399");
	expect(&http, (struct tried){TRIED_UNANSWERED, 1, 0},
	       "a connection to port 81 inside was not answered");
	expect(&http, (struct tried){TRIED_REFUSED, 1, 0}, "connection refused on port 81 inside");
	expect(&http, (struct tried){TRIED_NO_HTTP, 0, 0},
	       "GET http://10.0.0.1:80/a got an answer that is not HTTP");
}

/* A pattern may be long, and have anything in it. */
static void tried_describe_is_short_and_visible(void **state)
{
	char pattern[1000];
	struct start_message log = {.ready = {.kind = READY_LOG, .pattern = pattern}};
	char text[160];

	(void)state;
	memset(pattern, 'x', sizeof(pattern) - 1);
	pattern[sizeof(pattern) - 1] = '\0';
	pattern[0] = '\n';
	tried_describe(&(struct tried){0}, &log, text, sizeof(text));
	assert_non_null(strstr(text, "no line of its output matched '\\x0axxx"));
	assert_non_null(strstr(text, "...'"));
	assert_true(strlen(text) < 100);
}

static void tried_is_sane_bounds_every_number(void **state)
{
	static const struct tried bad[] = {
		{TRIED_NOTHING, 0, 0},	 {TRIED_OUTCOMES, 0, 0},       {TRIED_EXITED, 0, 0},
		{TRIED_REFUSED, 2, 0},	 {TRIED_REFUSED, ~0U, 0},      {TRIED_REFUSED, 0, 1},
		{TRIED_STATUS, 0, 1000}, {TRIED_ERROR, 0, 0x80000000}, {~0U, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(tried_is_sane(&bad[i], &http.ready));
		expect(&http, bad[i], "");
	}
	assert_true(tried_is_sane(&(struct tried){TRIED_STATUS, 1, 999}, &http.ready));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tried_describe_names_what_was_asked_and_what_came),
		cmocka_unit_test(tried_describe_is_short_and_visible),
		cmocka_unit_test(tried_is_sane_bounds_every_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
