/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/base/measure: how much lies in a tree that somebody hostile may have made. */
#include "world.h"
#include "base/cleanup.h"
#include "base/measure.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int64_t blocks_of(const struct world *w, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(w->dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return (int64_t)st.st_blocks * 512;
}

static void measure_tree_adds_up(void **state)
{
	cleanup_free char *big = xcalloc(1, 100001);
	struct world *w = *state;

	memset(big, 'x', 100000);
	world_file(w, "t/big", big, 0600);
	world_file(w, "t/d/small", "x", 0600);
	assert_true(blocks_of(w, "t/big") >= 100000);
	assert_true(measure_tree(w->dir, "t", 100) == blocks_of(w, "t") + blocks_of(w, "t/big") +
							      blocks_of(w, "t/d") +
							      blocks_of(w, "t/d/small"));
	assert_true(measure_tree(w->dir, "none", 100) == -ENOENT);
}

static void measure_tree_follows_no_link(void **state)
{
	cleanup_free char *big = xcalloc(1, 100001);
	struct world *w = *state;

	memset(big, 'x', 100000);
	world_file(w, "elsewhere/big", big, 0600);
	world_directory(w, "t", 0755);
	world_link(w, "../elsewhere", "t/link");
	assert_true(measure_tree(w->dir, "t", 100) < 100000);
	assert_true(measure_tree(w->dir, "t/link", 100) < 100000);
}

static void measure_tree_is_bounded(void **state)
{
	struct world *w = *state;
	struct text path = {0};

	for (int i = 0; i < 9; i++) {
		cleanup_free char *file = xasprintf("t/%d", i);

		world_file(w, file, "", 0600);
	}
	assert_true(measure_tree(w->dir, "t", 10) >= 0);
	assert_true(measure_tree(w->dir, "t", 9) == -E2BIG);
	text_add(&path, "deep");
	for (int i = 0; i < 70; i++)
		text_add(&path, "/d");
	world_directory(w, path.data, 0755);
	assert_true(measure_tree(w->dir, "deep", 1000) == -E2BIG);
	text_deinit(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(measure_tree_adds_up),
		with_world(measure_tree_follows_no_link),
		with_world(measure_tree_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
