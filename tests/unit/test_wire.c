/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/base/wire: what was put comes out, and nothing is read beyond the message. */
#include "base/cleanup.h"
#include "base/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char *const words[] = {(char *)"one", (char *)"", (char *)"three \xc3\xa9", NULL};

static void put_all(struct text *to)
{
	wire_put_u32(to, 0);
	wire_put_u32(to, UINT32_MAX);
	wire_put_u64(to, 0x0123456789abcdefULL);
	wire_put_string(to, "word");
	wire_put_string(to, "");
	wire_put_string(to, NULL);
	wire_put_strv(to, words);
	wire_put_strv(to, NULL);
	wire_put_u64(to, UINT64_MAX);
}

struct all {
	uint32_t zero, max;
	uint64_t digits, last;
	char *word, *empty, *none;
	char **list, **no_list;
};

static struct all get_all(struct wire_reader *from)
{
	struct all all = {.zero = wire_get_u32(from)};

	all.max = wire_get_u32(from);
	all.digits = wire_get_u64(from);
	all.word = wire_get_string(from);
	all.empty = wire_get_string(from);
	all.none = wire_get_string(from);
	all.list = wire_get_strv(from);
	all.no_list = wire_get_strv(from);
	all.last = wire_get_u64(from);
	return all;
}

static void free_all(struct all *all)
{
	free(all->word);
	free(all->empty);
	free(all->none);
	strv_free(all->list);
	strv_free(all->no_list);
}

static void wire_get_returns_what_was_put(void **state)
{
	cleanup_text struct text bytes = {0};
	struct wire_reader from;
	struct all all;

	(void)state;
	put_all(&bytes);
	from = (struct wire_reader){.data = (uint8_t *)bytes.data, .left = bytes.length};
	all = get_all(&from);
	assert_false(from.bad);
	assert_int_equal(from.left, 0);
	assert_int_equal(all.zero, 0);
	assert_int_equal(all.max, UINT32_MAX);
	assert_true(all.digits == 0x0123456789abcdefULL);
	assert_true(all.last == UINT64_MAX);
	assert_string_equal(all.word, "word");
	assert_string_equal(all.empty, "");
	assert_null(all.none);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(all.list[i], words[i]);
	assert_null(all.list[3]);
	assert_int_equal(strv_length(all.no_list), 0);
	free_all(&all);
}

/* The copy has exactly that size, so that an address sanitizer sees the first byte too many. */
static void wire_get_from_every_beginning_is_bad(void **state)
{
	cleanup_text struct text bytes = {0};

	(void)state;
	put_all(&bytes);
	for (size_t length = 0; length < bytes.length; length++) {
		uint8_t *copy = length ? xcalloc(length, 1) : NULL;
		struct wire_reader from = {.data = copy, .left = length};
		struct all all;

		if (length)
			memcpy(copy, bytes.data, length);
		all = get_all(&from);
		assert_true(from.bad);
		assert_true(all.last == 0);
		assert_non_null(all.no_list);
		free_all(&all);
		free(copy);
	}
}

static void wire_get_after_a_bad_field_is_empty(void **state)
{
	uint8_t rest[64] = {1, 2, 3};
	struct wire_reader from = {.data = rest, .left = sizeof(rest), .bad = true};
	char **list;

	(void)state;
	assert_int_equal(wire_get_u32(&from), 0);
	assert_true(wire_get_u64(&from) == 0);
	assert_null(wire_get_string(&from));
	list = wire_get_strv(&from);
	assert_non_null(list);
	assert_null(list[0]);
	assert_true(from.bad);
	strv_free(list);
}

/* A length or count, and four bytes behind it. */
static void put_hostile(struct text *to, uint32_t number)
{
	wire_put_u32(to, number);
	text_add_bytes(to, "\0\0\0\0", 4);
}

static void wire_get_string_refuses_hostile_lengths(void **state)
{
	static const uint32_t lengths[] = {1, 4, 5, 0x7fffffff, 0x80000000, 0xfffffffd, 0xfffffffe};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		cleanup_text struct text bytes = {0};
		struct wire_reader from;

		put_hostile(&bytes, lengths[i]);
		from = (struct wire_reader){.data = (uint8_t *)bytes.data, .left = bytes.length};
		assert_null(wire_get_string(&from));
		assert_true(from.bad);
	}
}

static void assert_list_is_bad(const struct text *bytes)
{
	struct wire_reader from = {.data = (uint8_t *)bytes->data, .left = bytes->length};
	char **list = wire_get_strv(&from);

	assert_true(from.bad);
	assert_non_null(list);
	strv_free(list);
}

static void wire_get_strv_refuses_hostile_counts(void **state)
{
	static const uint32_t counts[] = {2, 3, 0x3fffffff, 0x40000001, 0x80000000, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		cleanup_text struct text bytes = {0};

		put_hostile(&bytes, counts[i]);
		assert_list_is_bad(&bytes);
	}
}

/* A list ends in NULL: an entry that is none would cut it short unnoticed. */
static void wire_get_strv_refuses_a_missing_entry(void **state)
{
	cleanup_text struct text bytes = {0};

	(void)state;
	wire_put_u32(&bytes, 3);
	wire_put_string(&bytes, "one");
	wire_put_string(&bytes, NULL);
	wire_put_string(&bytes, "three");
	assert_list_is_bad(&bytes);
}

static void wire_get_string_refuses_a_zero_inside(void **state)
{
	static const char data[] = "\3\0\0\0a\0b";
	struct wire_reader from = {.data = (const uint8_t *)data, .left = 7};

	(void)state;
	assert_null(wire_get_string(&from));
	assert_true(from.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_get_returns_what_was_put),
		cmocka_unit_test(wire_get_from_every_beginning_is_bad),
		cmocka_unit_test(wire_get_after_a_bad_field_is_empty),
		cmocka_unit_test(wire_get_string_refuses_hostile_lengths),
		cmocka_unit_test(wire_get_strv_refuses_hostile_counts),
		cmocka_unit_test(wire_get_strv_refuses_a_missing_entry),
		cmocka_unit_test(wire_get_string_refuses_a_zero_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
