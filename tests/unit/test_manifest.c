/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/install: what a manifest says of a directory, and what is no manifest. */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "install/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void read_tree(const struct world *world, const char *name, struct manifest *ret_manifest)
{
	cleanup_fd int fd = openat(world->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct error err = {0};

	assert_true(fd >= 0);
	assert_succeeds(manifest_read(fd, name, -1, ret_manifest, &err), &err);
}

static void hash_tree(const struct world *world, const char *name, struct manifest *manifest)
{
	cleanup_fd int fd = openat(world->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct hashing hashing = {.cancel = -1};
	struct error err = {0};

	assert_succeeds(hash_all(fd, name, manifest, &hashing, &err), &err);
}

static void make_tree(const struct world *world)
{
	world_file(world, "t/b/file", "12345", 0644);
	world_file(world, "t/b-c", "123", 0600);
	world_link(world, "b/file", "t/link");
	assert_int_equal(linkat(world->dir, "t/b-c", world->dir, "t/again", 0), 0);
}

static void manifest_of_a_tree(void **state)
{
	static const char *const paths[] = {"", "again", "b", "b-c", "b/file", "link"};
	const struct world *world = *state;
	cleanup_manifest struct manifest manifest = {0};

	make_tree(world);
	read_tree(world, "t", &manifest);
	assert_int_equal(manifest.n, ARRAY_SIZE(paths));
	for (size_t i = 0; i < manifest.n; i++)
		assert_string_equal(manifest.list[i].path, paths[i]);
	assert_string_equal(manifest.list[5].link, "b/file");
	/* two names of one file count once */
	assert_int_equal(manifest.files, 2);
	assert_int_equal(manifest.bytes, 8);
	assert_ptr_equal(manifest_find(&manifest, "b/file"), &manifest.list[4]);
	assert_null(manifest_find(&manifest, "b/fil"));
}

static void manifest_tells_what_was_touched(void **state)
{
	const struct world *world = *state;
	cleanup_manifest struct manifest before = {0}, after = {0};
	const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

	make_tree(world);
	assert_int_equal(utimensat(world->dir, "t/b-c", times, 0), 0);
	read_tree(world, "t", &before);
	assert_false(manifest_is_settled(&before));
	usleep(50000);
	/* the same length, and the time put back: only the kernel's own time tells */
	world_file(world, "t/b-c", "321", 0600);
	assert_int_equal(utimensat(world->dir, "t/b-c", times, 0), 0);
	usleep(50000);
	read_tree(world, "t", &after);
	assert_true(manifest_is_settled(&after));
	assert_true(manifest_entry_looks_same(&before.list[3], &after.list[3]));
	assert_false(manifest_entry_is_untouched(&before.list[3], &after.list[3]));
	assert_true(manifest_entry_is_untouched(&before.list[4], &after.list[4]));
}

static void manifest_comes_back_as_it_was(void **state)
{
	const struct world *world = *state;
	cleanup_manifest struct manifest manifest = {0}, again = {0};

	make_tree(world);
	read_tree(world, "t", &manifest);
	assert_int_equal(manifest_write(world->dir, "m", &manifest), 0);
	assert_int_equal(manifest_write(world->dir, "m", &manifest), -EEXIST);
	assert_int_equal(manifest_load(world->dir, "m", &again), 0);
	assert_false(again.hashed);
	assert_int_equal(again.n, manifest.n);
	assert_int_equal(again.bytes, manifest.bytes);
	assert_int_equal(again.taken_ns, manifest.taken_ns);
	for (size_t i = 0; i < again.n; i++)
		assert_true(manifest_entry_is_untouched(&again.list[i], &manifest.list[i]));
}

static void manifest_with_hashes_comes_back_as_it_was(void **state)
{
	/* sha256sum(1) of "123" */
	static const uint8_t known[] = {0xa6, 0x65, 0xa4, 0x59, 0x20, 0x42, 0x2f, 0x9d};
	const struct world *world = *state;
	cleanup_manifest struct manifest manifest = {0}, again = {0};

	make_tree(world);
	read_tree(world, "t", &manifest);
	hash_tree(world, "t", &manifest);
	assert_int_equal(manifest_write(world->dir, "m", &manifest), 0);
	assert_int_equal(manifest_load(world->dir, "m", &again), 0);
	assert_true(again.hashed);
	for (size_t i = 0; i < again.n; i++)
		assert_true(again.list[i].hashed == S_ISREG(again.list[i].mode));
	assert_int_equal(memcmp(manifest_find(&again, "b-c")->hash, known, sizeof(known)), 0);
	assert_true(manifest_entry_is_untouched(&again.list[3], &manifest.list[3]));
	again.list[3].hash[31]++;
	assert_false(manifest_entry_is_untouched(&again.list[3], &manifest.list[3]));
	assert_false(manifest_entry_looks_same(&again.list[3], &manifest.list[3]));
	again.list[3].hashed = false;
	assert_true(manifest_entry_is_untouched(&again.list[3], &manifest.list[3]));
}

/* What was copied without a look at what is in it is no proof for who has looked. */
static void manifest_has_already_by_hash(void **state)
{
	const struct world *world = *state;
	cleanup_manifest struct manifest earlier = {0}, now = {0};
	const struct manifest_entry *file;

	make_tree(world);
	usleep(50000);
	read_tree(world, "t", &earlier);
	read_tree(world, "t", &now);
	file = manifest_find(&now, "b/file");
	assert_true(manifest_has_already(&earlier, file));
	hash_tree(world, "t", &now);
	assert_false(manifest_has_already(&earlier, file));
	hash_tree(world, "t", &earlier);
	assert_true(manifest_has_already(&earlier, file));
	earlier.list[4].hash[0]++;
	assert_false(manifest_has_already(&earlier, file));
}

/* Cut off anywhere, and with any byte another one: refused, or read, and never beyond its end. */
static void manifest_load_of_damaged_bytes(void **state)
{
	const struct world *world = *state;
	cleanup_manifest struct manifest manifest = {0};
	cleanup_free char *data = NULL;
	size_t length;

	make_tree(world);
	read_tree(world, "t", &manifest);
	hash_tree(world, "t", &manifest);
	assert_int_equal(manifest_write(world->dir, "m", &manifest), 0);
	assert_int_equal(file_read(world->dir, "m", 1 << 20, &data, &length), 0);
	for (size_t i = 0; i < length; i++) {
		struct manifest read = {0};

		assert_int_equal(file_replace_bytes(world->dir, "d", data, i, 0600), 0);
		assert_int_equal(manifest_load(world->dir, "d", &read), -EBADMSG);
		data[i] = (char)(data[i] ^ 0xff);
		assert_int_equal(file_replace_bytes(world->dir, "d", data, length, 0600), 0);
		if (manifest_load(world->dir, "d", &read) == 0)
			manifest_deinit(&read);
		data[i] = (char)(data[i] ^ 0xff);
	}
	assert_int_equal(manifest_load(world->dir, "none", &manifest), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(manifest_of_a_tree),
		with_world(manifest_tells_what_was_touched),
		with_world(manifest_comes_back_as_it_was),
		with_world(manifest_with_hashes_comes_back_as_it_was),
		with_world(manifest_has_already_by_hash),
		with_world(manifest_load_of_damaged_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
