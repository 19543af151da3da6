/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/base/text.c: growing strings, string lists, names and their misspellings. */
#include "base/cleanup.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void text_take_of_nothing_is_empty(void **data)
{
	struct text text = {0};
	cleanup_free char *taken = text_take(&text);

	(void)data;
	assert_string_equal(taken, "");
	assert_null(text.data);
}

static void text_take_leaves_an_empty_text(void **data)
{
	cleanup_text struct text text = {0};
	cleanup_free char *first = NULL, *second = NULL;

	(void)data;
	text_add(&text, "one");
	first = text_take(&text);
	assert_int_equal(text.length, 0);
	text_add(&text, "two");
	second = text_take(&text);
	assert_string_equal(first, "one");
	assert_string_equal(second, "two");
}

static void text_add_grows_over_many_calls(void **data)
{
	cleanup_text struct text text = {0};

	(void)data;
	for (int i = 0; i < 10000; i++)
		text_add(&text, "0123456789");
	assert_int_equal(text.length, 100000);
	assert_int_equal(strlen(text.data), 100000);
	assert_string_equal(text.data + 99990, "0123456789");
}

static void text_add_bytes_with_nul_and_without_any(void **data)
{
	cleanup_text struct text text = {0};

	(void)data;
	text_add_bytes(&text, NULL, 0);
	assert_string_equal(text.data, "");
	text_add_bytes(&text, "a\0b", 3);
	text_add_bytes(&text, NULL, 0);
	assert_int_equal(text.length, 3);
	assert_memory_equal(text.data, "a\0b", 4);
}

static void text_addf_appends(void **data)
{
	cleanup_text struct text text = {0};
	cleanup_free char *expected = NULL;

	(void)data;
	text_add(&text, "<");
	text_addf(&text, "%s", "");
	text_addf(&text, "%d %s", 42, "words");
	text_addf(&text, "%5000d", 1);
	expected = xasprintf("<42 words%5000d", 1);
	assert_string_equal(text.data, expected);
	assert_int_equal(text.length, strlen(expected));
}

static void text_deinit_twice(void **data)
{
	struct text text = {0};

	(void)data;
	text_add(&text, "x");
	text_deinit(&text);
	text_deinit(&text);
	assert_null(text.data);
}

static void xcalloc_of_nothing(void **data)
{
	cleanup_free char *memory = xcalloc(0, 0);

	(void)data;
	assert_non_null(memory);
}

static void strv_add_to_null_and_on(void **data)
{
	cleanup_strv char **list = NULL;

	(void)data;
	assert_int_equal(strv_length(list), 0);
	strv_add(&list, "one");
	strv_add(&list, "");
	strv_add(&list, "three");
	assert_int_equal(strv_length(list), 3);
	assert_string_equal(list[0], "one");
	assert_string_equal(list[1], "");
	assert_string_equal(list[2], "three");
	assert_null(list[3]);
}

static void strv_add_copies_the_string(void **data)
{
	cleanup_strv char **list = NULL;
	char word[] = "word";

	(void)data;
	strv_add(&list, word);
	word[0] = 'l';
	assert_string_equal(list[0], "word");
}

static void strv_copy_of_null_and_of_a_list(void **data)
{
	cleanup_strv char **list = NULL, **copy = NULL, **empty = strv_copy(NULL);

	(void)data;
	assert_non_null(empty);
	assert_int_equal(strv_length(empty), 0);
	strv_add(&list, "a");
	strv_add(&list, "b");
	copy = strv_copy(list);
	assert_int_equal(strv_length(copy), 2);
	assert_string_equal(copy[1], "b");
	assert_ptr_not_equal(copy[1], list[1]);
}

static void strv_contains_whole_words_only(void **data)
{
	cleanup_strv char **list = NULL;

	(void)data;
	assert_false(strv_contains(NULL, "a"));
	strv_add(&list, "alpha");
	strv_add(&list, "beta");
	assert_true(strv_contains(list, "beta"));
	assert_false(strv_contains(list, "bet"));
	assert_false(strv_contains(list, "Beta"));
	assert_false(strv_contains(list, ""));
}

static void strv_free_null(void **data)
{
	(void)data;
	strv_free(NULL);
}

static const char *const keys[] = {"template", "install", "ports", "port", "ready", NULL};

static void nearest_word_one_letter_off(void **data)
{
	static const char *const wrong[] = {"tmplate", "templates", "templete", "temlatp"};

	(void)data;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_string_equal(nearest_word(wrong[i], keys), "template");
	assert_string_equal(nearest_word("redy", keys), "ready");
	/* two that changed places are one slip, at both ends and in a short word too */
	assert_string_equal(nearest_word("raedy", keys), "ready");
	assert_string_equal(nearest_word("erady", keys), "ready");
	assert_string_equal(nearest_word("readdy", keys), "ready");
	assert_string_equal(nearest_word("prot", keys), "port");
	assert_string_equal(nearest_word("potr", keys), "port");
	assert_null(nearest_word("rpto", keys));
}

static void nearest_word_prefers_the_nearest(void **data)
{
	static const char *const words[] = {"startings", "startin", NULL};

	(void)data;
	assert_string_equal(nearest_word("starting", words), "startings");
	assert_string_equal(nearest_word("startink", words), "startin");
}

static void nearest_word_too_far(void **data)
{
	(void)data;
	assert_null(nearest_word("network", keys));
	assert_null(nearest_word("abcdefgh", keys));
	assert_null(nearest_word("", keys));
}

static void nearest_word_same_word_is_no_misspelling(void **data)
{
	static const char *const one[] = {"ready", NULL};

	(void)data;
	assert_null(nearest_word("ready", one));
}

static void nearest_word_no_candidates(void **data)
{
	static const char *const none[] = {NULL};

	(void)data;
	assert_null(nearest_word("ready", none));
}

static void nearest_word_very_long_word(void **data)
{
	char word[400];

	(void)data;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_null(nearest_word(word, keys));
}

static void is_valid_name_accepts(void **data)
{
	static const char *const names[] = {"a", "0", "web-1", "a-", "9lives"};
	char longest[64];

	(void)data;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_true(is_valid_name(names[i]));
	memset(longest, 'a', 63);
	longest[63] = '\0';
	assert_true(is_valid_name(longest));
}

static void is_valid_name_refuses(void **data)
{
	static const char *const names[] = {"",	   "-a",   "A",	  "web_1",    "web.1",	"a b",
					    "a/b", "../x", "a\n", "\xc3\xa4", "caf\xe9"};
	char long_one[65];

	(void)data;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_false(is_valid_name(names[i]));
	memset(long_one, 'a', 64);
	long_one[64] = '\0';
	assert_false(is_valid_name(long_one));
}

static void check_cut(size_t size, const char *string, const char *wanted)
{
	char buffer[16] = "###############";

	text_cutf(buffer, size, "%s", string);
	assert_string_equal(buffer, wanted);
	assert_int_equal(buffer[size], '#');
}

static void text_cutf_leaves_what_fits(void **data)
{
	(void)data;
	check_cut(8, "", "");
	check_cut(8, "1234567", "1234567");
	check_cut(8, "a\xc3\xbc\xf0\x9f\x98\x80", "a\xc3\xbc\xf0\x9f\x98\x80");
}

static void text_cutf_cuts_between_characters_and_says_so(void **data)
{
	(void)data;
	check_cut(8, "12345678", "1234...");
	check_cut(8, "123\xc3\xbc\xc3\xbc\xc3\xbc", "123...");
	check_cut(8, "1\xf0\x9f\x98\x80\xf0\x9f\x98\x80", "1...");
	check_cut(8, "12\xc3\xbc\xc3\xbc\xc3\xbc", "12\xc3\xbc...");
	/* what is no UTF-8 anyway */
	check_cut(8, "\xbf\xbf\xbf\xbf\xbf\xbf\xbf\xbf\xbf", "\xbf...");
}

static void text_cutf_without_room_for_the_mark(void **data)
{
	(void)data;
	check_cut(4, "123", "123");
	check_cut(4, "1234", "");
	check_cut(2, "\xc3\xbc", "");
	check_cut(1, "1", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_take_of_nothing_is_empty),
		cmocka_unit_test(text_take_leaves_an_empty_text),
		cmocka_unit_test(text_add_grows_over_many_calls),
		cmocka_unit_test(text_add_bytes_with_nul_and_without_any),
		cmocka_unit_test(text_addf_appends),
		cmocka_unit_test(text_cutf_leaves_what_fits),
		cmocka_unit_test(text_cutf_cuts_between_characters_and_says_so),
		cmocka_unit_test(text_cutf_without_room_for_the_mark),
		cmocka_unit_test(text_deinit_twice),
		cmocka_unit_test(xcalloc_of_nothing),
		cmocka_unit_test(strv_add_to_null_and_on),
		cmocka_unit_test(strv_add_copies_the_string),
		cmocka_unit_test(strv_copy_of_null_and_of_a_list),
		cmocka_unit_test(strv_contains_whole_words_only),
		cmocka_unit_test(strv_free_null),
		cmocka_unit_test(nearest_word_one_letter_off),
		cmocka_unit_test(nearest_word_prefers_the_nearest),
		cmocka_unit_test(nearest_word_too_far),
		cmocka_unit_test(nearest_word_same_word_is_no_misspelling),
		cmocka_unit_test(nearest_word_no_candidates),
		cmocka_unit_test(nearest_word_very_long_word),
		cmocka_unit_test(is_valid_name_accepts),
		cmocka_unit_test(is_valid_name_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
