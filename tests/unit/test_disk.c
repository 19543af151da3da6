/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/instance/disk*.c: which backend holds which limit, what a pool takes before it says
 * ENOSPC, in bytes and in files, and that nothing but the file in the state directory outlives the
 * descriptor.
 */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "instance/disk.h"
#include "instance/disk_backend.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/fs.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define MIB (1ULL << 20)
#define ID "a123abcd"
#define CHUNK (256 * 1024)

struct ground {
	struct world *world;
	struct site site;
	struct plan plan;
	struct record record;
	int state; /* STATE/i/ID */
};

static int ground_setup(void **state)
{
	struct ground *ground = xcalloc(1, sizeof(*ground));

	*state = ground;
	ground->site.state = ground->site.run = ground->state = -1;
	if (world_setup((void **)&ground->world))
		return -1;
	setenv("STINT_ROOT", ground->world->path, 1);
	if (is_root() && site_open(&ground->site, NULL) < 0)
		return -1;
	strcpy(ground->record.grant.id, ID);
	if (!is_root())
		return 0;
	world_directory(ground->world, "var/lib/stint/i/" ID, 0700);
	ground->state = site_open_state_of(&ground->site, ID);
	return ground->state < 0 ? -1 : 0;
}

static int ground_teardown(void **state)
{
	struct ground *ground = *state;
	int r;

	unsetenv("STINT_ROOT");
	cleanup_close(&ground->state);
	site_close(&ground->site);
	free(ground->record.disk);
	r = world_teardown((void **)&ground->world);
	free(ground);
	return r;
}

static int choose(struct ground *ground, uint64_t figure, uint64_t memory, struct error *err)
{
	cleanup_free_pointer(&ground->record.disk);
	ground->record.disk = NULL;
	ground->plan.limits.disk_bytes = figure;
	ground->plan.limits.memory_bytes = memory;
	return disk_choose(&ground->site, &ground->plan, false, &ground->record, err);
}

static bool can_make_images(void)
{
	return access("/dev/loop-control", R_OK | W_OK) == 0 &&
	       access("/usr/sbin/mke2fs", X_OK) == 0;
}

#define need_images()                                                         \
	do {                                                                  \
		need_root();                                                  \
		if (!can_make_images()) {                                     \
			print_message("no loop device, or no mke2fs here\n"); \
			skip();                                               \
		}                                                             \
	} while (0)

static void disk_share_adds_up(void **state)
{
	static const uint64_t figures[] = {DISK_MIN, 100 * MIB, 2048 * MIB, 1ULL << 43};
	struct disk_shares shares;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
		disk_share(figures[i], &shares);
		assert_int_equal(shares.root + shares.shm + shares.pool, figures[i] - 128 * 1024);
		assert_true(shares.shm >= MIB && shares.shm <= 256 * MIB);
		assert_true(shares.pool >= figures[i] / 2);
	}
	disk_share(1024 * MIB, &shares);
	assert_true(shares.pool >= 1024 * MIB / 100 * 96);
}

static void disk_choose_without_a_limit(void **state)
{
	struct ground *ground = *state;
	struct error err;

	need_root();
	assert_succeeds(choose(ground, 0, 0, &err), &err);
	assert_null(ground->record.disk);
	assert_null(disk_words(&ground->record));
	assert_false(disk_is_detached(&ground->record));
	assert_string_equal(disk_path(&ground->record), "");
}

static void disk_choose_too_little(void **state)
{
	struct ground *ground = *state;
	struct error err;

	need_root();
	assert_fails(choose(ground, DISK_MIN - 1, 0, &err), -EPERM, &err, "16 MiB");
	assert_fails(choose(ground, 1, 0, &err), -EPERM, &err, "1 B");
	assert_int_equal(err.kind, ERROR_REFUSED);
}

static void disk_choose_by_figure_and_memory(void **state)
{
	struct ground *ground = *state;
	struct error err;

	need_images();
	assert_succeeds(choose(ground, 32 * MIB, 0, &err), &err);
	assert_string_equal(ground->record.disk, "tmpfs");
	assert_int_equal(ground->record.disk_bytes, 32 * MIB);
	assert_true(disk_is_detached(&ground->record));
	assert_succeeds(choose(ground, 32 * MIB, 32 * MIB, &err), &err);
	assert_string_equal(ground->record.disk, "image");
	assert_succeeds(choose(ground, 200 * MIB, 0, &err), &err);
	assert_string_equal(ground->record.disk, "image");
	assert_true(disk_is_detached(&ground->record));
}

/* With a figure that no host has, and the number of bytes that it would take. */
static void disk_choose_more_than_there_is(void **state)
{
	struct ground *ground = *state;
	struct error err;

	need_images();
	assert_fails(choose(ground, 1ULL << 60, 0, &err), -EPERM, &err, " bytes)");
	assert_non_null(strstr(err.text, ground->world->path));
	assert_non_null(strstr(err.text, "left"));
}

/* Writes until it is told that there is no more room; all that went in. */
static uint64_t fill(int pool)
{
	cleanup_fd int fd = openat(pool, "layer/filling", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	cleanup_free char *chunk = xcalloc(1, CHUNK);
	uint64_t written = 0;

	assert_true(fd >= 0);
	memset(chunk, 'x', CHUNK);
	for (;;) {
		ssize_t n = write(fd, chunk, CHUNK);

		if (n < 0)
			break;
		written += (uint64_t)n;
	}
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(fsync(fd), 0);
	return written;
}

static unsigned flood(int pool)
{
	for (unsigned i = 0;; i++) {
		cleanup_free char *name = xasprintf("layer/%u", i);
		int fd = openat(pool, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

		if (fd < 0) {
			assert_int_equal(errno, ENOSPC);
			return i;
		}
		close(fd);
	}
}

static char *read_mounts(void)
{
	char *text = NULL;

	assert_int_equal(file_read(AT_FDCWD, "/proc/self/mountinfo", 1 << 24, &text, NULL), 0);
	return text;
}

/* Loop devices whose file lies in this test's directory. */
static unsigned loops_of(const struct ground *ground)
{
	glob_t found = {0};
	unsigned n = 0;

	glob("/sys/block/loop*/loop/backing_file", GLOB_NOSORT, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		cleanup_free char *file = NULL;

		if (file_read(AT_FDCWD, found.gl_pathv[i], 4096, &file, NULL) == 0)
			n += strstr(file, ground->world->path) != NULL;
	}
	globfree(&found);
	return n;
}

static void pool_holds_its_figure(struct ground *ground, uint64_t figure)
{
	cleanup_free char *before = read_mounts(), *after = NULL;
	struct disk_usage usage;
	struct disk_shares shares;
	struct error err;
	int pool = -1;
	uint64_t written;

	disk_share(figure, &shares);
	assert_succeeds(choose(ground, figure, 0, &err), &err);
	assert_succeeds(disk_prepare(&ground->site, &ground->record, ground->state, &pool, &err),
			&err);
	after = read_mounts();
	assert_string_equal(before, after);
	assert_int_equal(fcntl(pool, F_GETFD), FD_CLOEXEC);
	assert_int_equal(mkdirat(pool, "layer", 0700), 0);
	assert_int_equal(disk_read(&ground->record, pool, &usage), 0);
	assert_true(usage.limit <= shares.pool);
	written = fill(pool);
	print_message("%s: %llu of %llu bytes\n", ground->record.disk, (unsigned long long)written,
		      (unsigned long long)figure);
	assert_true(written <= shares.pool);
	assert_true(written >= shares.pool / 100 * 98);
	assert_int_equal(disk_read(&ground->record, pool, &usage), 0);
	assert_true(usage.used >= written && usage.used <= shares.pool);
	close(pool);
}

static void tmpfs_holds_its_figure(void **state)
{
	need_root();
	pool_holds_its_figure(*state, 32 * MIB);
	pool_holds_its_figure(*state, DISK_MIN);
}

/* The file is as large at the end as it was at the beginning: the host has nothing to give. */
static void image_holds_its_figure(void **state)
{
	struct ground *ground = *state;
	struct stat st;

	need_images();
	pool_holds_its_figure(ground, 200 * MIB);
	assert_int_equal(fstatat(ground->state, "image", &st, 0), 0);
	assert_true((uint64_t)st.st_blocks * 512 <= (uint64_t)st.st_size + MIB);
	assert_true((uint64_t)st.st_size <= 200 * MIB / 100 * 104);
}

static void image_is_allocated_from_the_start(void **state)
{
	struct ground *ground = *state;
	struct error err;
	struct stat st;
	int pool = -1;

	need_images();
	assert_succeeds(choose(ground, 100 * MIB, 0, &err), &err);
	assert_succeeds(disk_prepare(&ground->site, &ground->record, ground->state, &pool, &err),
			&err);
	assert_int_equal(fstatat(ground->state, "image", &st, 0), 0);
	assert_true((uint64_t)st.st_blocks * 512 >= (uint64_t)st.st_size);
	close(pool);
}

static void image_leaves_no_device(void **state)
{
	struct ground *ground = *state;
	struct error err;
	int pool = -1;

	need_images();
	assert_succeeds(choose(ground, 100 * MIB, 0, &err), &err);
	assert_succeeds(disk_prepare(&ground->site, &ground->record, ground->state, &pool, &err),
			&err);
	assert_int_equal(loops_of(ground), 1);
	close(pool);
	for (int i = 0; loops_of(ground) && i < WORLD_BOUND_MS / 10; i++)
		poll(NULL, 0, 10);
	assert_int_equal(loops_of(ground), 0);
}

static void pools_hold_floods_of_files(void **state)
{
	struct ground *ground = *state;
	static const uint64_t figures[] = {32 * MIB, 100 * MIB};
	struct disk_shares shares;
	struct error err;

	need_images();
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
		int pool = -1;

		disk_share(figures[i], &shares);
		assert_succeeds(choose(ground, figures[i], 0, &err), &err);
		assert_succeeds(
			disk_prepare(&ground->site, &ground->record, ground->state, &pool, &err),
			&err);
		assert_int_equal(mkdirat(pool, "layer", 0700), 0);
		assert_in_range(flood(pool), 1000, disk_inodes(shares.pool) + 256);
		close(pool);
	}
}

static void disk_undo_twice_and_of_nothing(void **state)
{
	struct ground *ground = *state;
	static const char *const names[] = {NULL, "tmpfs", "image", "project", "unheard-of"};
	struct record record = {0};
	struct error err;

	need_root();
	strcpy(record.grant.id, ID);
	record.id_base = ground->site.admission.ids.first;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		record.disk = (char *)names[i];
		assert_succeeds(disk_undo(&ground->site, &record, &err), &err);
		assert_succeeds(disk_undo(&ground->site, &record, &err), &err);
	}
}

/* Where the host cannot: the reason, so that nobody wonders. */
static void project_is_refused_with_a_reason(void **state)
{
	struct ground *ground = *state;
	struct disk_question question = {
		.site = &ground->site, .figure = 100 * MIB, .pool = 90 * MIB, .own_ids = false};
	struct error err;

	need_root();
	assert_fails(disk_project.offer(&question, &err), -EPERM, &err, "user namespace");
	question.own_ids = true;
	if (disk_project.offer(&question, &err) < 0)
		assert_non_null(strstr(err.text, "no project quota"));
}

#define with_ground(test) cmocka_unit_test_setup_teardown(test, ground_setup, ground_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disk_share_adds_up),
		with_ground(disk_choose_without_a_limit),
		with_ground(disk_choose_too_little),
		with_ground(disk_choose_by_figure_and_memory),
		with_ground(disk_choose_more_than_there_is),
		with_ground(tmpfs_holds_its_figure),
		with_ground(image_holds_its_figure),
		with_ground(image_is_allocated_from_the_start),
		with_ground(image_leaves_no_device),
		with_ground(pools_hold_floods_of_files),
		with_ground(disk_undo_twice_and_of_nothing),
		with_ground(project_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
