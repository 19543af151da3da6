/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/lines and pattern: any bytes, cut into lines, and what a line is matched with. */
#include "keeper/lines.h"
#include "keeper/pattern.h"
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct cut {
	struct lines lines;
	struct text seen; /* each piece as "<first><last>text|" */
};

static int cut_setup(void **state)
{
	*state = xcalloc(1, sizeof(struct cut));
	return 0;
}

static int cut_teardown(void **state)
{
	struct cut *cut = *state;

	text_deinit(&cut->seen);
	free(cut);
	return 0;
}

static void take(void *arg, const struct lines_piece *piece)
{
	struct cut *cut = arg;

	text_add(&cut->seen, piece->first ? "^" : "~");
	text_add_bytes(&cut->seen, piece->text, piece->length);
	text_add(&cut->seen, piece->last ? "$" : "~");
}

static void feed(struct cut *cut, const char *text)
{
	lines_feed(&cut->lines, text, strlen(text), take, cut);
}

static void expect(struct cut *cut, const char *text)
{
	char *seen = text_take(&cut->seen);

	assert_string_equal(seen, text);
	free(seen);
}

static void lines_feed_cuts_at_newlines(void **state)
{
	struct cut *cut = *state;

	feed(cut, "one\n\ntwo\nthr");
	expect(cut, "^one$^$^two$");
	feed(cut, "");
	feed(cut, "ee");
	expect(cut, "");
	feed(cut, "\n");
	expect(cut, "^three$");
}

static char *line_of(size_t length)
{
	char *line = xcalloc(length + 2, 1);

	memset(line, 'x', length);
	return line;
}

static void lines_feed_keeps_a_line_of_full_length_whole(void **state)
{
	char *line = line_of(LINES_PIECE_MAX);
	struct cut *cut = *state;

	feed(cut, line);
	assert_int_equal(cut->seen.length, 0);
	feed(cut, "\n");
	assert_int_equal(cut->seen.length, LINES_PIECE_MAX + 2);
	assert_memory_equal(cut->seen.data, "^x", 2);
	assert_int_equal(cut->seen.data[LINES_PIECE_MAX + 1], '$');
	free(line);
}

static void lines_feed_cuts_a_huge_line(void **state)
{
	char *line = line_of(3 * LINES_PIECE_MAX + 1);
	struct cut *cut = *state;
	const char *seen;

	line[3 * LINES_PIECE_MAX + 1] = '\n';
	lines_feed(&cut->lines, line, 3 * LINES_PIECE_MAX + 2, take, cut);
	assert_int_equal(cut->seen.length, 3 * (LINES_PIECE_MAX + 2) + 3);
	seen = cut->seen.data;
	assert_memory_equal(seen + LINES_PIECE_MAX, "x~~x", 4);
	assert_memory_equal(seen + 3 * (LINES_PIECE_MAX + 2) - 2, "x~~x$", 5);
	free(line);
}

static void lines_feed_does_not_care_how_bytes_arrive(void **state)
{
	static const char words[] = "a\nbc\n\n\nlonger line\nend\n";
	struct cut *cut = *state;

	for (size_t i = 0; i < sizeof(words) - 1; i++)
		lines_feed(&cut->lines, words + i, 1, take, cut);
	expect(cut, "^a$^bc$^$^$^longer line$^end$");
}

static void lines_flush_hands_out_the_rest(void **state)
{
	struct cut *cut = *state;

	lines_flush(&cut->lines, false, take, cut);
	expect(cut, "");
	feed(cut, "rest");
	lines_flush(&cut->lines, false, take, cut);
	expect(cut, "^rest~");
	lines_flush(&cut->lines, false, take, cut);
	expect(cut, "");
	lines_flush(&cut->lines, true, take, cut);
	expect(cut, "~$");
	feed(cut, "new\n");
	expect(cut, "^new$");
}

static void pattern_matches_single_lines(void **state)
{
	static const struct {
		const char *pattern, *line;
		bool matches;
	} cases[] = {
		{"started", "Server started in 5 ms", true},
		{"^started", "Server started", false},
		{"started$", "Server started\r", true},
		{"started$", "Server started \r", false},
		{"^$", "", true},
		{"^$", "\r", true},
		{"in [0-9]+ (ms|s)", "up in 17 s", true},
		{"in [0-9]+ (ms|s)", "up in s", false},
		{"\xff", "\xfe\xff", true},
	};
	struct pattern pattern;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(pattern_init(&pattern, cases[i].pattern, NULL), 0);
		assert_int_equal(pattern_matches(&pattern, cases[i].line, strlen(cases[i].line)),
				 cases[i].matches);
		pattern_deinit(&pattern);
	}
}

static void pattern_matches_behind_nul_and_within_bounds(void **state)
{
	struct pattern pattern;
	char *line = line_of(LINES_PIECE_MAX);

	(void)state;
	assert_int_equal(pattern_init(&pattern, "up", NULL), 0);
	assert_true(pattern_matches(&pattern, "\0\0up", 4));
	assert_false(pattern_matches(&pattern, "up", 1));
	line[PATTERN_LINE_MAX - 2] = 'u';
	line[PATTERN_LINE_MAX - 1] = 'p';
	assert_true(pattern_matches(&pattern, line, LINES_PIECE_MAX));
	line[PATTERN_LINE_MAX - 1] = 'u';
	line[PATTERN_LINE_MAX] = 'p';
	assert_false(pattern_matches(&pattern, line, LINES_PIECE_MAX));
	pattern_deinit(&pattern);
	free(line);
}

static void pattern_init_explains_what_is_wrong(void **state)
{
	struct pattern pattern = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(pattern_init(&pattern, "a[", &err), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_non_null(strstr(err.text, "'a['"));
	assert_false(pattern_matches(&pattern, "a[", 2));
	pattern_deinit(&pattern);
	pattern_deinit(&pattern);
}

#define with_cut(test) cmocka_unit_test_setup_teardown(test, cut_setup, cut_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_cut(lines_feed_cuts_at_newlines),
		with_cut(lines_feed_keeps_a_line_of_full_length_whole),
		with_cut(lines_feed_cuts_a_huge_line),
		with_cut(lines_feed_does_not_care_how_bytes_arrive),
		with_cut(lines_flush_hands_out_the_rest),
		cmocka_unit_test(pattern_matches_single_lines),
		cmocka_unit_test(pattern_matches_behind_nul_and_within_bounds),
		cmocka_unit_test(pattern_init_explains_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
