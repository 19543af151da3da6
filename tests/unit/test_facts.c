/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/facts: the keeper's last words, and those of another version of it. */
#include "world.h"
#include "keeper/facts.h"

#include <errno.h>
#include <sys/stat.h>

static void assert_facts(const struct facts *a, int64_t connections, int64_t in, int64_t out,
			 int64_t pool)
{
	assert_true(a->connections == connections);
	assert_true(a->bytes_in == in);
	assert_true(a->bytes_out == out);
	assert_true(a->pool_bytes == pool);
}

static void facts_read_returns_what_was_written(void **state)
{
	const struct facts facts = {
		.connections = 0, .bytes_in = 1, .bytes_out = INT64_MAX, .pool_bytes = -1};
	struct world *w = *state;
	struct facts read;
	struct stat st;

	assert_int_equal(facts_read(w->dir, &read), -ENOENT);
	assert_int_equal(facts_write(w->dir, &facts), 0);
	assert_int_equal(facts_read(w->dir, &read), 0);
	assert_facts(&read, 0, 1, INT64_MAX, -1);
	assert_int_equal(fstatat(w->dir, FACTS_FILE_NAME, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(facts_write(w->dir, &facts_unknown), 0);
	assert_int_equal(facts_read(w->dir, &read), 0);
	assert_facts(&read, -1, -1, -1, -1);
}

static void facts_parse_of_other_versions_and_nonsense(void **state)
{
	struct facts facts;

	(void)state;
	facts_parse("", &facts);
	assert_facts(&facts, -1, -1, -1, -1);
	facts_parse("connections 3\nsomething_new 7\nbytes_in 5\n", &facts);
	assert_facts(&facts, 3, 5, -1, -1);
	facts_parse("connections\nbytes_in -5\nbytes_out 1x\npool_bytes 9223372036854775808\n",
		    &facts);
	assert_facts(&facts, -1, -1, -1, -1);
	facts_parse(" \n\n5\nbytes_out  1\npool_bytes 12", &facts);
	assert_facts(&facts, -1, -1, -1, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(facts_read_returns_what_was_written),
		cmocka_unit_test(facts_parse_of_other_versions_and_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
