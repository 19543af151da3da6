/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root whose writable parts lie in a pool: what the list says with a disk limit, and that a
 * detached mount of another mount namespace serves as upper and as /tmp, for real.
 */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "rootfs/mount.h"
#include "rootfs/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define POOL_SIZE (4 << 20)

static const struct root_op *find_op(const struct root_ops *ops, const char *target)
{
	for (size_t i = 0; i < ops->n; i++)
		if (strcmp(ops->list[i].target, target) == 0)
			return &ops->list[i];
	return NULL;
}

static struct root_ops compile(const char *home, bool in_pool)
{
	static const char *const install[] = {"/opt/app", NULL};
	const struct rootfs_account account = {"alice", "staff", home, 1234, 2345};
	struct plan plan = {.install = (char **)install};
	struct rootfs_input input = {.plan = &plan,
				     .hostname = "a123abcd",
				     .account = &account,
				     .layers = in_pool ? "layer" : "/s/pool/layer",
				     .scratch = in_pool ? "root" : "/s/pool/root",
				     .in_pool = in_pool,
				     .root_size = 4 << 20,
				     .shm_size = 1 << 20};
	struct root_ops ops;
	struct error err;

	assert_succeeds(rootfs_compile(&input, &ops, &err), &err);
	return ops;
}

static void compile_puts_what_is_written_into_the_pool(void **state)
{
	static const char *const scratches[] = {"/tmp", "/run", "/var", "/root", "/home/alice"};
	struct root_ops ops = compile("/home/alice", true);
	const struct root_op *op;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scratches); i++) {
		cleanup_free char *source = xasprintf("root%s", scratches[i]);

		op = find_op(&ops, scratches[i]);
		assert_int_equal(op->kind, ROOT_BIND);
		assert_int_equal(op->flags, ROOT_WRITABLE | ROOT_SCRATCH | ROOT_IN_POOL);
		assert_string_equal(op->source, source);
	}
	assert_int_equal(op->uid, 1234);
	assert_int_equal(op->mode, 0700);
	op = find_op(&ops, "/opt/app");
	assert_int_equal(op->flags, ROOT_WRITABLE | ROOT_IN_POOL);
	assert_string_equal(op->text, "layer/0");
	assert_string_equal(find_op(&ops, "/")->text, "mode=0755,size=4194304,nr_inodes=1024");
	assert_non_null(strstr(find_op(&ops, "/dev/shm")->text, "size=1048576,"));
	root_ops_deinit(&ops);
}

/* A quota's pool is a directory of the host. */
static void compile_names_the_pool_by_path(void **state)
{
	struct root_ops ops = compile("/home/alice", false);

	(void)state;
	assert_string_equal(find_op(&ops, "/tmp")->source, "/s/pool/root/tmp");
	assert_int_equal(find_op(&ops, "/tmp")->flags, ROOT_WRITABLE | ROOT_SCRATCH);
	assert_string_equal(find_op(&ops, "/opt/app")->text, "/s/pool/layer/0");
	assert_int_equal(find_op(&ops, "/opt/app")->flags, ROOT_WRITABLE);
	root_ops_deinit(&ops);
}

/* Below /var there is room for a home, which is not a part of the host. */
static void compile_makes_a_home_below_a_scratch(void **state)
{
	struct root_ops ops = compile("/var/lib/alice", true);
	const struct root_op *op = find_op(&ops, "/var/lib/alice");

	(void)state;
	assert_non_null(op);
	assert_int_equal(op->uid, 1234);
	root_ops_deinit(&ops);
}

struct ground {
	const struct world *world;
	int pool;
};

static int make_pool(void)
{
	static const char *const paths[] = {"layer/0/upper", "layer/0/work", "root/tmp"};
	cleanup_free char *options = xasprintf("mode=0700,size=%d", POOL_SIZE);
	int pool = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

	assert_true(pool >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		assert_int_equal(file_make_directories(pool, paths[i], 0755), 0);
	return pool;
}

static void add_ops(const struct world *world, struct root_ops *ops)
{
	struct root_op *op = root_ops_add(ops, ROOT_TMPFS, "/");

	op->text = xstrdup("mode=0755,size=64k");
	op = root_ops_add(ops, ROOT_BIND, "/tmp");
	op->source = xstrdup("root/tmp");
	op->flags = ROOT_WRITABLE | ROOT_IN_POOL;
	op = root_ops_add(ops, ROOT_OVERLAY, "/opt/app");
	op->source = world_path(world, "app");
	op->text = xstrdup("layer/0");
	op->flags = ROOT_WRITABLE | ROOT_IN_POOL;
}

static uint64_t fill(const char *path)
{
	cleanup_fd int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	static const char page[4096];
	uint64_t written = 0;

	must(fd >= 0);
	while (write(fd, page, sizeof(page)) == (ssize_t)sizeof(page))
		written += sizeof(page);
	must(errno == ENOSPC);
	return written;
}

static void live_in_the_pool(const void *arg)
{
	const struct ground *ground = arg;
	const struct root_owner owner = {.userns = -1, .pool = ground->pool, .empty = -1};
	struct root_ops ops = {0};
	struct error err = {0};
	struct statvfs top;
	uint64_t written;

	add_ops(ground->world, &ops);
	must_succeed(root_apply(&ops, &owner, &err), &err);
	root_ops_deinit(&ops);
	must(file_write(AT_FDCWD, "/opt/app/new", "new", 0644) == 0);
	must(file_write(AT_FDCWD, "/tmp/other", "other", 0644) == 0);
	must(statvfs("/", &top) == 0 && top.f_blocks * top.f_frsize == 64 << 10);
	/* both draw on one figure */
	written = fill("/tmp/filling");
	must(written > POOL_SIZE / 2 && written < POOL_SIZE);
	must(file_write(AT_FDCWD, "/opt/app/more", "more", 0644) == -ENOSPC);
}

static void root_apply_writes_to_a_detached_pool(void **state)
{
	struct world *world = *state;
	struct ground ground = {.world = world};
	cleanup_free char *data = NULL;

	need_root();
	world_file(world, "app/old", "old", 0644);
	ground.pool = make_pool();
	run_in_child(CLONE_NEWNS | CLONE_NEWPID, live_in_the_pool, &ground);
	/* the instance is gone, the descriptor keeps what it wrote */
	assert_int_equal(file_read(ground.pool, "layer/0/upper/new", 16, &data, NULL), 0);
	assert_string_equal(data, "new");
	assert_false(world_has(world, "app/new"));
	assert_int_equal(faccessat(ground.pool, "root/tmp/other", F_OK, 0), 0);
	close(ground.pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compile_puts_what_is_written_into_the_pool),
		cmocka_unit_test(compile_names_the_pool_by_path),
		cmocka_unit_test(compile_makes_a_home_below_a_scratch),
		with_world(root_apply_writes_to_a_detached_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
