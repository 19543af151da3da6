/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/install/live: what live directories look like, kept and compared. */
#include "world.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "install/live.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rig {
	char *state_path;
	char *path;
	char *paths[2];
	struct install install;
	bool hashed; /* looks are */
};

static void rig_init(struct rig *rig, const struct world *world)
{
	world_directory(world, "state", 0700);
	world_file(world, "app/lib/one", "1", 0644);
	world_file(world, "app/lib/two", "2", 0644);
	world_file(world, "app/three", "3", 0644);
	*rig = (struct rig){.state_path = world_path(world, "state"),
			    .path = world_path(world, "app")};
	rig->paths[0] = rig->path;
	rig->install = (struct install){.name = (char *)"app", .paths = rig->paths};
}

static void rig_deinit(struct rig *rig)
{
	free(rig->state_path);
	free(rig->path);
}

/* As a look that reads what was touched since, or everything. */
static void look_at(const struct rig *rig, const struct live *known, struct live *ret_live)
{
	struct live_look look = {.hash = rig->hashed, .known = known, .hashing = {.cancel = -1}};
	struct error err = {0};

	assert_succeeds(live_read(&rig->install, &look, ret_live, &err), &err);
}

static void keep(const struct rig *rig)
{
	cleanup_live struct live live = {0};

	look_at(rig, NULL, &live);
	assert_int_equal(live_save(rig->state_path, &rig->install, &live, NULL), 0);
}

/* "A app/lib/x" and so on, against what was kept. */
static char *changes_of(const struct rig *rig)
{
	cleanup_live struct live was = {0}, is = {0};
	struct change_list changes = {0};
	struct text text = {0};

	assert_int_equal(live_load(rig->state_path, &rig->install, &was), 0);
	look_at(rig, NULL, &is);
	live_compare(&rig->install, &was, &is, &changes);
	for (size_t i = 0; i < changes.n; i++)
		text_addf(&text, "%c%s ", "ADC"[changes.list[i].kind],
			  changes.list[i].path + strlen(rig->path));
	change_list_deinit(&changes);
	return text_take(&text);
}

static void expect_changes(const struct rig *rig, const char *expected)
{
	cleanup_free char *found = changes_of(rig);

	assert_string_equal(found, expected);
}

static void live_compare_of_each_kind_of_change(void **state)
{
	const struct world *world = *state;
	const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct rig rig;

	rig_init(&rig, world);
	assert_int_equal(utimensat(world->dir, "app/lib/one", times, 0), 0);
	keep(&rig);
	expect_changes(&rig, "");
	/* the same length and time: only the kernel's own time tells */
	world_file(world, "app/lib/one", "x", 0644);
	assert_int_equal(utimensat(world->dir, "app/lib/one", times, 0), 0);
	expect_changes(&rig, "C/lib/one ");
	world_file(world, "app/lib/new", "x", 0644);
	assert_int_equal(unlinkat(world->dir, "app/lib/two", 0), 0);
	assert_int_equal(fchmodat(world->dir, "app/lib", 0700, 0), 0);
	expect_changes(&rig, "C/lib A/lib/new C/lib/one D/lib/two ");
	keep(&rig);
	expect_changes(&rig, "");
	rig_deinit(&rig);
}

static void live_directories_changed_by_names_alone(void **state)
{
	const struct world *world = *state;
	struct rig rig;

	rig_init(&rig, world);
	assert_true(live_directories_changed(rig.state_path, &rig.install));
	keep(&rig);
	assert_false(live_directories_changed(rig.state_path, &rig.install));
	world_file(world, "app/lib/one", "x", 0644);
	assert_false(live_directories_changed(rig.state_path, &rig.install));
	world_file(world, "app/lib/new", "x", 0644);
	assert_true(live_directories_changed(rig.state_path, &rig.install));
	keep(&rig);
	assert_int_equal(renameat(world->dir, "app", world->dir, "away"), 0);
	assert_true(live_directories_changed(rig.state_path, &rig.install));
	rig_deinit(&rig);
}

static void live_read_of_a_directory_that_is_gone(void **state)
{
	const struct world *world = *state;
	struct rig rig;

	rig_init(&rig, world);
	keep(&rig);
	assert_int_equal(renameat(world->dir, "app", world->dir, "away"), 0);
	expect_changes(&rig, "D D/lib D/lib/one D/lib/two D/three ");
	rig_deinit(&rig);
}

static void live_is_same_only_for_what_was_kept_once(void **state)
{
	const struct world *world = *state;
	cleanup_live struct live first = {0}, again = {0}, other = {0}, none = {0};
	struct rig rig;

	rig_init(&rig, world);
	assert_int_equal(live_load(rig.state_path, &rig.install, &none), -ENOENT);
	keep(&rig);
	assert_int_equal(live_load(rig.state_path, &rig.install, &first), 0);
	assert_int_equal(live_load(rig.state_path, &rig.install, &again), 0);
	assert_true(live_is_same(&first, &again));
	keep(&rig);
	assert_int_equal(live_load(rig.state_path, &rig.install, &other), 0);
	assert_false(live_is_same(&first, &other));
	assert_false(live_is_same(&first, &none));
	rig_deinit(&rig);
}

/* Everything that the file system says of the file is as it was when that was kept. */
static void lie_about(const struct rig *rig, const char *path, struct live *is)
{
	cleanup_live struct live was = {0};
	const struct manifest_entry *then;

	assert_int_equal(live_load(rig->state_path, &rig->install, &was), 0);
	then = manifest_find(&was.list[0], path);
	for (size_t i = 0; i < is->list[0].n; i++)
		if (strcmp(is->list[0].list[i].path, path) == 0) {
			is->list[0].list[i].mtime_ns = then->mtime_ns;
			is->list[0].list[i].ctime_ns = then->ctime_ns;
		}
}

static void live_compare_of_what_only_a_hash_tells(void **state)
{
	const struct world *world = *state;
	struct change_list changes = {0};
	struct rig rig;

	rig_init(&rig, world);
	rig.hashed = true;
	keep(&rig);
	expect_changes(&rig, "");
	world_file(world, "app/lib/one", "x", 0644);
	for (int with_hashes = 0; with_hashes < 2; with_hashes++) {
		cleanup_live struct live was = {0}, is = {0};

		rig.hashed = with_hashes;
		assert_int_equal(live_load(rig.state_path, &rig.install, &was), 0);
		assert_true(was.list[0].hashed);
		look_at(&rig, NULL, &is);
		lie_about(&rig, "lib/one", &is);
		assert_true(live_differs_in_hashes(&was, &is) == !with_hashes);
		live_compare(&rig.install, &was, &is, &changes);
		assert_int_equal(changes.n, with_hashes);
	}
	assert_string_equal(changes.list[0].path + strlen(rig.path), "/lib/one");
	change_list_deinit(&changes);
	rig_deinit(&rig);
}

/* Not what looks untouched, unless all is to be read. */
static void live_read_reads_what_was_touched(void **state)
{
	const struct world *world = *state;
	cleanup_live struct live was = {0}, is = {0}, all = {0};
	struct live_look look = {.hash = true, .known = &was, .hashing = {.cancel = -1}};
	struct rig rig;

	rig_init(&rig, world);
	rig.hashed = true;
	keep(&rig);
	assert_int_equal(live_load(rig.state_path, &rig.install, &was), 0);
	world_file(world, "app/lib/two", "22", 0644);
	world_link(world, "two", "app/lib/link");
	assert_int_equal(live_read(&rig.install, &look, &is, NULL), 0);
	assert_int_equal(look.hashing.progress.total_files, 1);
	assert_int_equal(look.hashing.progress.files, 1);
	assert_int_equal(look.hashing.progress.bytes, 2);
	for (size_t i = 0; i < is.list[0].n; i++)
		assert_true(is.list[0].list[i].hashed == S_ISREG(is.list[0].list[i].mode));
	look_at(&rig, NULL, &all);
	assert_int_equal(memcmp(manifest_find(&is.list[0], "lib/two")->hash,
				manifest_find(&all.list[0], "lib/two")->hash, DIGEST_SIZE),
			 0);
	rig_deinit(&rig);
}

static void live_read_that_is_cancelled(void **state)
{
	const struct world *world = *state;
	cleanup_live struct live live = {0};
	struct live_look look = {.hash = true};
	int ends[2];
	struct rig rig;

	rig_init(&rig, world);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[1]);
	look.hashing.cancel = ends[0];
	assert_int_equal(live_read(&rig.install, &look, &live, NULL), -ECANCELED);
	assert_int_equal(live.n, 0);
	close(ends[0]);
	rig_deinit(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(live_compare_of_each_kind_of_change),
		with_world(live_directories_changed_by_names_alone),
		with_world(live_read_of_a_directory_that_is_gone),
		with_world(live_compare_of_what_only_a_hash_tells),
		with_world(live_read_reads_what_was_touched),
		with_world(live_read_that_is_cancelled),
		with_world(live_is_same_only_for_what_was_kept_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
