/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/base/visible: what reaches a person's terminal of what others wrote. */
#include "base/cleanup.h"
#include "base/visible.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RESET "\033[0m"

struct example {
	const char *in, *out;
};

static void check_lines(const struct example *examples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_text struct text text = {0};

		text_add(&text, "<");
		text_add_visible(&text, examples[i].in, strlen(examples[i].in));
		assert_string_equal(text.data + 1, examples[i].out);
	}
}

static void add_visible_plain_text(void **state)
{
	static const struct example examples[] = {
		{"", ""},
		{"plain", "plain"},
		{"a\tb", "a\tb"},
		{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		 "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"dos\r", "dos"},
	};

	(void)state;
	check_lines(examples, ARRAY_SIZE(examples));
}

static void add_visible_control_characters(void **state)
{
	static const struct example examples[] = {
		{"a\rb\r", "a\\x0db"},
		{"\a\b\x7f", "\\x07\\x08\\x7f"},
		{"\033[2J", "\\x1b[2J"},
		{"\033]0;title\a", "\\x1b]0;title\\x07"},
		{"\033", "\\x1b"},
		{"\033[", "\\x1b["},
		{"\033[31", "\\x1b[31"},
		{"\033[?1m", "\\x1b[?1m"},
		{"\xc2\x9b"
		 "2J",
		 "\\xc2\\x9b2J"}, /* CSI as one character */
		{"a\nb", "a\\x0ab"},
	};

	(void)state;
	check_lines(examples, ARRAY_SIZE(examples));
}

static void add_visible_colours(void **state)
{
	static const struct example examples[] = {
		{"\033[31mred", "\033[31mred" RESET},
		{"\033[m", "\033[m" RESET},
		{"\033[38;5;1m\033[4:3mx", "\033[38;5;1m\033[4:3mx" RESET},
	};
	static const char endless[] =
		"\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1m";
	cleanup_text struct text text = {0};

	(void)state;
	check_lines(examples, ARRAY_SIZE(examples));
	text_add_visible(&text, endless, strlen(endless));
	assert_memory_equal(text.data, "\\x1b[", 5);
}

static void add_visible_no_utf8(void **state)
{
	static const struct example examples[] = {
		{"\x9b"
		 "2J",
		 "\\x9b2J"},
		{"\xff\xfe", "\\xff\\xfe"},
		{"\xc0\x9b", "\\xc0\\x9b"},	     /* overlong */
		{"\xe0\x80\x9b", "\\xe0\\x80\\x9b"}, /* overlong */
		{"\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* surrogate */
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
		{"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
		{"\xe2\x82", "\\xe2\\x82"}, /* cut */
		{"\xc3(", "\\xc3("},
	};

	(void)state;
	check_lines(examples, ARRAY_SIZE(examples));
}

static void add_visible_nul(void **state)
{
	cleanup_text struct text text = {0};

	(void)state;
	text_add_visible(&text, "a\0b", 3);
	assert_string_equal(text.data, "a\\x00b");
}

static void add_visible_name_leaves_nothing_out(void **state)
{
	cleanup_text struct text text = {0};

	(void)state;
	text_add_visible_name(&text, "a\tb\n\033[31mc\xc3\xbc\r");
	assert_string_equal(text.data, "a\\x09b\\x0a\\x1b[31mc\xc3\xbc\\x0d");
}

static void add_visible_name_tells_a_byte_from_its_words(void **state)
{
	cleanup_text struct text text = {0};

	(void)state;
	text_add_visible_name(&text, "\xff\\xff\\");
	assert_string_equal(text.data, "\\xff\\\\xff\\\\");
}

static void add_visible_words_twice_is_as_once(void **state)
{
	cleanup_text struct text text = {0}, again = {0};

	(void)state;
	text_add_visible_words(&text, "a\tb\n\033[31mc\xc3\xbc\xff\\x");
	assert_string_equal(text.data, "a\\x09b\\x0a\\x1b[31mc\xc3\xbc\\xff\\x");
	text_add_visible_words(&again, text.data);
	assert_string_equal(again.data, text.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add_visible_plain_text),
		cmocka_unit_test(add_visible_control_characters),
		cmocka_unit_test(add_visible_colours),
		cmocka_unit_test(add_visible_no_utf8),
		cmocka_unit_test(add_visible_nul),
		cmocka_unit_test(add_visible_name_leaves_nothing_out),
		cmocka_unit_test(add_visible_name_tells_a_byte_from_its_words),
		cmocka_unit_test(add_visible_words_twice_is_as_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
