/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/made: found again among very many, in few steps and in the order of before. */
#include "world.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "instance/made.h"

#include <string.h>

#define MANY 20000
#define STEPS_MAX (2 * 16) /* of a balanced tree, twice its logarithm at most */

static void made_has_what_was_added(void **state)
{
	struct made made = {0};

	(void)state;
	assert_false(made_has(&made, 3, "."));
	made_add(&made, 3, "b", (struct timespec){1, 2});
	made_add(&made, 3, "a", (struct timespec){3, 4});
	made_add(&made, 4, "a/b", (struct timespec){0});
	assert_true(made_has(&made, 3, "a") && made_has(&made, 3, "b"));
	assert_true(made_has(&made, 4, "a/b"));
	assert_false(made_has(&made, 4, "a") || made_has(&made, 3, "a/b"));
	assert_int_equal(made.n, 3);
	assert_string_equal(made.list[0]->path, "b");
	assert_string_equal(made.list[1]->path, "a");
	assert_int_equal(made.list[1]->mtime.tv_nsec, 4);
	made_deinit(&made);
	made_deinit(&made);
	assert_false(made_has(&made, 3, "a"));
}

/* In the order of their names, as an archiver has them: the worst for a tree that is not balanced.
 */
static void made_has_compares_few(void **state)
{
	struct made made = {0};

	(void)state;
	for (int i = 0; i < MANY; i++) {
		cleanup_free char *path = xasprintf("d%08d", i);

		assert_false(made_has(&made, 3, path));
		made_add(&made, 3, path, (struct timespec){0});
	}
	assert_in_range(made.comparisons, 1, 2L * MANY * STEPS_MAX);
	made_deinit(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_has_what_was_added),
		cmocka_unit_test(made_has_compares_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
