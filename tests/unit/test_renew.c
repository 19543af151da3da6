/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/renew: a pool as it was before anything was written, whatever was. */
#include "world.h"
#include "keeper/keeper.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "rootfs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Of the process that cleans up: it is not started here. */
void keeper_close_others(int *keep, size_t n)
{
	(void)keep;
	(void)n;
}

/* Two layers, as they are named with and without a pool of their own, and two places. */
static struct root_ops make_ops(const struct world *w)
{
	struct root_ops ops = {0};
	struct root_op *op = root_ops_add(&ops, ROOT_OVERLAY, "/opt/one");

	op->source = world_path(w, "lower");
	op->text = xstrdup("/var/lib/stint/i/0123abcd/layer/0");
	op = root_ops_add(&ops, ROOT_OVERLAY, "/opt/two");
	op->source = world_path(w, "lower");
	op->text = xstrdup("layer/11");
	op = root_ops_add(&ops, ROOT_BIND, "/tmp");
	op->flags = ROOT_SCRATCH;
	op->mode = 01777;
	op = root_ops_add(&ops, ROOT_BIND, "/var/spool");
	op->flags = ROOT_SCRATCH;
	op->mode = 0700;
	root_ops_add(&ops, ROOT_BIND, "/usr");
	return ops;
}

static mode_t mode_of(const struct world *w, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(w->dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static size_t count_aside(int pool)
{
	int fd = openat(pool, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(dir)))
		n += strncmp(entry->d_name, "aside.", 6) == 0;
	return n;
}

static void renew_pool_makes_what_a_start_makes(void **state)
{
	struct world *w = *state;
	struct root_ops ops = make_ops(w);
	cleanup_fd int pool = -1;
	struct error err = {0};

	world_directory(w, "lower", 02750);
	world_directory(w, "pool", 0700);
	world_file(w, "pool/log", "kept", 0600);
	pool = file_open_directory(w->dir, "pool");
	for (size_t i = 0; i < 3; i++) {
		assert_succeeds(renew_pool(pool, &ops, &err), &err);
		/* the first time there is nothing to put aside */
		assert_int_equal(count_aside(pool), 2 * i);
		assert_int_equal(mode_of(w, "pool/layer/0/upper"), 02750);
		assert_int_equal(mode_of(w, "pool/layer/0/work"), 0700);
		assert_int_equal(mode_of(w, "pool/layer/11/upper"), 02750);
		assert_int_equal(mode_of(w, "pool/root/tmp"), 01777);
		assert_int_equal(mode_of(w, "pool/root/var/spool"), 0700);
		assert_false(world_has(w, "pool/root/usr"));
		assert_false(world_has(w, "pool/root/tmp/mine"));
		assert_false(world_has(w, "pool/layer/0/upper/mine"));
		world_file(w, "pool/root/tmp/mine", "", 0600);
		world_file(w, "pool/layer/0/upper/mine", "", 0600);
	}
	assert_true(world_has(w, "pool/log"));
	root_ops_deinit(&ops);
}

/* What was written takes every inode that there is: it has to go first. */
static void renew_pool_of_a_full_one(void **state)
{
	struct world *w = *state;
	struct root_ops ops = make_ops(w);
	cleanup_fd int pool = -1;
	struct error err = {0};
	int made = 0;

	need_root();
	world_directory(w, "lower", 0755);
	pool = mount_new("tmpfs", "mode=0700,nr_inodes=32", 0);
	assert_true(pool >= 0);
	assert_succeeds(renew_pool(pool, &ops, &err), &err);
	for (;; made++) {
		cleanup_free char *path = xasprintf("root/tmp/%d", made);

		if (mkdirat(pool, path, 0700) < 0)
			break;
	}
	assert_int_equal(errno, ENOSPC);
	assert_true(made > 5);
	assert_succeeds(renew_pool(pool, &ops, &err), &err);
	assert_int_equal(count_aside(pool), 0);
	assert_int_equal(faccessat(pool, "root/tmp/0", F_OK, 0), -1);
	assert_int_equal(faccessat(pool, "layer/11/work", F_OK, 0), 0);
	root_ops_deinit(&ops);
}

static void renew_pool_without_its_lower_says_which(void **state)
{
	struct world *w = *state;
	struct root_ops ops = make_ops(w);
	struct error err = {0};

	assert_fails(renew_pool(w->dir, &ops, &err), -ENOENT, &err, "'/opt/one'");
	root_ops_deinit(&ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(renew_pool_makes_what_a_start_makes),
		with_world(renew_pool_of_a_full_one),
		with_world(renew_pool_without_its_lower_says_which),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
