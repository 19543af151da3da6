/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/cgroup/limits: plain directories stand for hierarchies of either version; a file keeps
 * what was written into it, as the kernel would. What the kernel really holds is a matter of
 * tests/system/limits.bats.
 */
#include "world.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "cgroup/controller.h"
#include "cgroup/limits.h"

#include <string.h>

#define GROUP "stint/a1b2c3d4/server"
#define GIB (1ULL << 30)

/* A hierarchy with a group in it; files are empty, and belong to the group. */
static void make_hierarchy(const struct world *w, const char *name, const char *const *files)
{
	cleanup_free char *group = xasprintf("%s/" GROUP, name);

	world_directory(w, name, 0755);
	world_directory(w, group, 0755);
	for (; *files; files++) {
		cleanup_free char *path = xasprintf("%s/%s", group, *files);

		world_file(w, path, "", 0644);
	}
}

static void make_v2(const struct world *w, const char *controllers, const char *const *files)
{
	static const char *const above[] = {"v2", "v2/stint", "v2/stint/a1b2c3d4"};
	cleanup_free char *list = xasprintf("%s\n", controllers);

	make_hierarchy(w, "v2", files);
	world_file(w, "v2/cgroup.controllers", list, 0644);
	for (size_t i = 0; i < ARRAY_SIZE(above); i++) {
		cleanup_free char *path = xasprintf("%s/cgroup.subtree_control", above[i]);

		world_file(w, path, "", 0644);
	}
}

static void add_mount(const struct world *w, struct cgroup_tree *tree, const char *name,
		      const char *controllers)
{
	tree->list[tree->n++] = (struct cgroup_hierarchy){
		.mount = world_path(w, name),
		.controllers = xstrdup(controllers ? controllers : ""),
		.v2 = !controllers,
		.leaves = true,
	};
}

static const char *const v2_files[] = {"memory.max", "memory.swap.max", "memory.oom.group",
				       "cpu.max",    "pids.max",	NULL};
static const char *const v1_memory_files[] = {"memory.limit_in_bytes",
					      "memory.memsw.limit_in_bytes", NULL};
static const char *const v1_cpu_files[] = {"cpu.cfs_quota_us", "cpu.cfs_period_us", NULL};
static const char *const v1_pids_files[] = {"pids.max", NULL};
static const char *const v1_blkio_files[] = {"blkio.throttle.read_bps_device",
					     "blkio.throttle.write_bps_device", NULL};
static const char *const io_files[] = {"io.max", NULL};

static struct cgroup_limits ask(enum cgroup_limit_kind kind, uint64_t value)
{
	struct cgroup_limits limits = {0};

	limits.of[kind].value = value;
	limits.of[kind].asked = true;
	return limits;
}

static struct cgroup_limits ask_much(void)
{
	struct cgroup_limits limits = ask(CGROUP_MEMORY, GIB);

	limits.of[CGROUP_SWAP].asked = true;
	limits.of[CGROUP_CPU].value = 1500;
	limits.of[CGROUP_CPU].asked = true;
	limits.of[CGROUP_PIDS].value = 100;
	limits.of[CGROUP_PIDS].asked = true;
	return limits;
}

static void assert_file(const struct world *w, const char *path, const char *content)
{
	cleanup_free char *found = world_read(w, path);

	if (strcmp(found, content) != 0)
		print_error("%s:\n", path);
	assert_string_equal(found, content);
}

static void assert_held(const struct cgroup_outcome *outcome, uint64_t set, const char *by)
{
	if (!*outcome->by)
		print_error("not enforced: %s\n", outcome->why);
	assert_string_equal(outcome->by, by);
	assert_string_equal(outcome->why, "");
	assert_int_equal(outcome->set, set);
}

static void assert_not_held(const struct cgroup_outcome *outcome, const char *why)
{
	assert_string_equal(outcome->by, "");
	if (!strstr(outcome->why, why))
		print_error("'%s' is not in: %s\n", why, outcome->why);
	assert_non_null(strstr(outcome->why, why));
}

static void limits_apply_in_version_2(void **state)
{
	struct world *w = *state;
	struct cgroup_limits limits = ask_much();
	struct cgroup_outcome out[CGROUP_LIMIT_KINDS];
	struct cgroup_tree tree = {0};

	make_v2(w, "cpuset cpu io memory hugetlb pids", v2_files);
	add_mount(w, &tree, "v2", NULL);
	cgroup_limits_apply(&tree, GROUP, &limits, out);
	assert_held(&out[CGROUP_MEMORY], GIB, "cgroup v2 memory");
	assert_held(&out[CGROUP_SWAP], 0, "cgroup v2 memory");
	assert_held(&out[CGROUP_CPU], 1500, "cgroup v2 cpu");
	assert_held(&out[CGROUP_PIDS], 100, "cgroup v2 pids");
	assert_string_equal(out[CGROUP_IO_READ].by, "");
	assert_string_equal(out[CGROUP_IO_READ].why, "");
	assert_file(w, "v2/" GROUP "/cpu.max", "150000 100000");
	assert_file(w, "v2/" GROUP "/memory.swap.max", "0");
	/* only a leaf keeps processes, so only what is above it may have controllers enabled */
	assert_true(world_has(w, "v2/stint/a1b2c3d4/cgroup.subtree_control"));
	assert_false(world_has(w, "v2/" GROUP "/cgroup.subtree_control"));
	assert_file(w, "v2/" GROUP "/memory.oom.group", "");
	cgroup_account(&tree, GROUP);
	assert_file(w, "v2/" GROUP "/memory.oom.group", "1");
	cgroup_tree_deinit(&tree);
}

static void limits_apply_in_version_1(void **state)
{
	struct world *w = *state;
	struct cgroup_limits limits = ask_much();
	struct cgroup_outcome out[CGROUP_LIMIT_KINDS];
	struct cgroup_tree tree = {0};

	make_hierarchy(w, "memory", v1_memory_files);
	make_hierarchy(w, "cpu", v1_cpu_files);
	make_hierarchy(w, "pids", v1_pids_files);
	add_mount(w, &tree, "memory", "memory");
	add_mount(w, &tree, "cpu", "cpu,cpuacct");
	add_mount(w, &tree, "pids", "pids");
	limits.of[CGROUP_SWAP].value = 4096;
	cgroup_limits_apply(&tree, GROUP, &limits, out);
	assert_held(&out[CGROUP_MEMORY], GIB, "cgroup v1 memory");
	assert_held(&out[CGROUP_SWAP], 4096, "cgroup v1 memory");
	assert_held(&out[CGROUP_CPU], 1500, "cgroup v1 cpu");
	assert_held(&out[CGROUP_PIDS], 100, "cgroup v1 pids");
	assert_file(w, "memory/" GROUP "/memory.memsw.limit_in_bytes", "1073745920");
	assert_file(w, "cpu/" GROUP "/cpu.cfs_quota_us", "150000");
	cgroup_tree_deinit(&tree);
}

#define TCP_FILE "memory/" GROUP "/memory.kmem.tcp.limit_in_bytes"

/* Where the kernel counts the buffers of sockets apart, they have the limit of memory too. */
static void limits_apply_to_sockets_in_version_1(void **state)
{
	struct world *w = *state;
	struct cgroup_limits limits = ask(CGROUP_MEMORY, 64 << 20);
	struct cgroup_outcome out[CGROUP_LIMIT_KINDS];
	struct cgroup_tree tree = {0};

	make_hierarchy(w, "memory", v1_memory_files);
	add_mount(w, &tree, "memory", "memory");
	cgroup_limits_apply(&tree, GROUP, &limits, out);
	assert_held(&out[CGROUP_MEMORY], 64 << 20, "cgroup v1 memory");
	assert_false(world_has(w, TCP_FILE));
	world_file(w, TCP_FILE, "", 0644);
	cgroup_limits_apply(&tree, GROUP, &limits, out);
	assert_held(&out[CGROUP_MEMORY], 64 << 20, "cgroup v1 memory");
	assert_file(w, TCP_FILE, "67108864");
	/* what is longer stays behind: it is not held */
	world_file(w, TCP_FILE, "9223372036854771712", 0644);
	cgroup_limits_apply(&tree, GROUP, &limits, out);
	assert_not_held(&out[CGROUP_MEMORY], " instead");
	cgroup_tree_deinit(&tree);
}

/* Each controller is used where it is, whatever the others are. */
static void limits_apply_in_a_mixture(void **state)
{
	struct world *w = *state;
	struct cgroup_limits limits = ask_much();
	struct cgroup_outcome out[CGROUP_LIMIT_KINDS];
	struct cgroup_tree tree = {0};

	make_hierarchy(w, "memory", v1_memory_files);
	make_v2(w, "hugetlb pids", v2_files);
	add_mount(w, &tree, "memory", "memory");
	add_mount(w, &tree, "v2", NULL);
	cgroup_limits_apply(&tree, GROUP, &limits, out);
	assert_held(&out[CGROUP_MEMORY], GIB, "cgroup v1 memory");
	assert_held(&out[CGROUP_PIDS], 100, "cgroup v2 pids");
	assert_not_held(&out[CGROUP_CPU], "the kernel offers no controller 'cpu' here");
	assert_file(w, "v2/" GROUP "/memory.max", "");
	cgroup_tree_deinit(&tree);
}

static void assert_io(struct world *w, const struct cgroup_tree *tree, const char *by_read,
		      const char *by_write)
{
	char *devices[] = {(char *)"8:0", NULL};
	struct cgroup_limits limits = ask(CGROUP_IO_READ, 4096);
	struct cgroup_outcome out[CGROUP_LIMIT_KINDS];

	(void)w;
	limits.devices = devices;
	cgroup_limits_apply(tree, GROUP, &limits, out);
	assert_held(&out[CGROUP_IO_READ], 4096, by_read);
	limits.of[CGROUP_IO_READ].asked = false;
	limits.of[CGROUP_IO_WRITE].value = 8192;
	limits.of[CGROUP_IO_WRITE].asked = true;
	cgroup_limits_apply(tree, GROUP, &limits, out);
	assert_held(&out[CGROUP_IO_WRITE], 8192, by_write);
	limits.no_devices = "no disk";
	cgroup_limits_apply(tree, GROUP, &limits, out);
	assert_not_held(&out[CGROUP_IO_WRITE], "no disk");
}

static void limits_apply_to_devices(void **state)
{
	struct world *w = *state;
	struct cgroup_tree v1 = {0}, v2 = {0};

	make_hierarchy(w, "blkio", v1_blkio_files);
	add_mount(w, &v1, "blkio", "blkio");
	assert_io(w, &v1, "cgroup v1 blkio, direct and read I/O only",
		  "cgroup v1 blkio, direct and read I/O only");
	assert_file(w, "blkio/" GROUP "/blkio.throttle.read_bps_device", "8:0 4096");
	make_v2(w, "io", io_files);
	add_mount(w, &v2, "v2", NULL);
	assert_io(w, &v2, "cgroup v2 io", "cgroup v2 io");
	assert_file(w, "v2/" GROUP "/io.max", "8:0 wbps=8192");
	cgroup_tree_deinit(&v1);
	cgroup_tree_deinit(&v2);
}

/* Nothing is said to be enforced that was not read back. */
static void limits_apply_says_why_not(void **state)
{
	struct world *w = *state;
	struct cgroup_limits limits = ask(CGROUP_MEMORY, 4096);
	struct cgroup_outcome out[CGROUP_LIMIT_KINDS];
	struct cgroup_tree tree = {0};

	cgroup_limits_apply(&tree, GROUP, &limits, out);
	assert_not_held(&out[CGROUP_MEMORY], "the kernel offers no controller 'memory' here");
	make_v2(w, "memory pids", v2_files);
	add_mount(w, &tree, "v2", NULL);
	/* a file is not truncated when it is written: what is longer stays behind */
	world_file(w, "v2/" GROUP "/memory.max", "9999999", 0644);
	cgroup_limits_apply(&tree, GROUP, &limits, out);
	assert_not_held(&out[CGROUP_MEMORY], "holds 4096999 instead");
	world_file(w, "v2/" GROUP "/memory.max", "xxxxxxx", 0644);
	cgroup_limits_apply(&tree, GROUP, &limits, out);
	assert_not_held(&out[CGROUP_MEMORY], "memory.max': Invalid argument");
	limits = ask(CGROUP_SWAP, 0);
	assert_int_equal(unlinkat(w->dir, "v2/" GROUP "/memory.swap.max", 0), 0);
	cgroup_limits_apply(&tree, GROUP, &limits, out);
	assert_not_held(&out[CGROUP_SWAP], "the kernel has no 'memory.swap.max'");
	limits = ask(CGROUP_PIDS, 5);
	assert_int_equal(unlinkat(w->dir, "v2/stint/cgroup.subtree_control", 0), 0);
	cgroup_limits_apply(&tree, GROUP, &limits, out);
	assert_not_held(&out[CGROUP_PIDS], "the controller 'pids' cannot be enabled in '");
	assert_not_held(&out[CGROUP_PIDS], "/v2/stint': No such file or directory");
	cgroup_tree_deinit(&tree);
}

static void limits_apply_of_swap_alone_in_version_1(void **state)
{
	struct world *w = *state;
	struct cgroup_limits limits = ask(CGROUP_SWAP, 0);
	struct cgroup_outcome out[CGROUP_LIMIT_KINDS];
	struct cgroup_tree tree = {0};

	make_hierarchy(w, "memory", v1_memory_files);
	add_mount(w, &tree, "memory", "memory");
	cgroup_limits_apply(&tree, GROUP, &limits, out);
	assert_not_held(&out[CGROUP_SWAP], "together with memory");
	assert_file(w, "memory/" GROUP "/memory.memsw.limit_in_bytes", "");
	cgroup_tree_deinit(&tree);
}

/* What is enabled already is not written: it may be another's tree. */
static void controller_enable_leaves_what_is_enabled(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = {0};
	char *why = NULL;

	make_v2(w, "memory pids", v2_files);
	add_mount(w, &tree, "v2", NULL);
	world_file(w, "v2/cgroup.subtree_control", "cpu memory pids\n", 0644);
	assert_int_equal(cgroup_controller_enable(&tree.list[0], "stint/a1b2c3d4", "memory", &why),
			 0);
	assert_file(w, "v2/cgroup.subtree_control", "cpu memory pids\n");
	assert_file(w, "v2/stint/cgroup.subtree_control", "+memory");
	assert_file(w, "v2/stint/a1b2c3d4/cgroup.subtree_control", "");
	assert_null(why);
	cgroup_tree_deinit(&tree);
}

static void usage_of_what_is_counted(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = {0};
	uint64_t used = 42;

	make_v2(w, "memory pids", v2_files);
	add_mount(w, &tree, "v2", NULL);
	assert_false(cgroup_usage(&tree, GROUP, CGROUP_MEMORY, &used));
	world_file(w, "v2/" GROUP "/memory.current", "123456\n", 0644);
	assert_true(cgroup_usage(&tree, GROUP, CGROUP_MEMORY, &used));
	assert_int_equal(used, 123456);
	assert_false(cgroup_usage(&tree, GROUP, CGROUP_CPU, &used));
	cgroup_tree_deinit(&tree);
}

/* A container sees its own group as the root; a unit of systemd has its limit above stint's. */
static void cgroup_memory_bound_is_the_least_above(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = {.n = 2};

	tree.list[0] = (struct cgroup_hierarchy){.mount = world_path(w, "one"),
						 .controllers = xstrdup("memory")};
	tree.list[1] = (struct cgroup_hierarchy){
		.mount = world_path(w, "two"), .controllers = xstrdup(""), .v2 = true};
	assert_true(cgroup_memory_bound(&tree, "a/b/stint") == UINT64_MAX);
	world_file(w, "one/memory.limit_in_bytes", "9223372036854771712\n", 0644);
	world_file(w, "one/a/memory.limit_in_bytes", "5000\n", 0644);
	world_file(w, "one/a/b/memory.limit_in_bytes", "4000\n", 0644);
	world_file(w, "one/a/b/stint/memory.limit_in_bytes", "1\n", 0644);
	assert_int_equal(cgroup_memory_bound(&tree, "a/b/stint"), 4000);
	assert_int_equal(cgroup_memory_bound(&tree, "a/stint"), 5000);
	assert_int_equal(cgroup_memory_bound(&tree, "stint"), 9223372036854771712ULL);
	world_file(w, "two/cgroup.controllers", "memory\n", 0644);
	world_file(w, "two/memory.max", "3000\n", 0644);
	world_file(w, "two/a/memory.max", "max\n", 0644);
	assert_int_equal(cgroup_memory_bound(&tree, "a/b/stint"), 3000);
	cgroup_tree_deinit(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(cgroup_memory_bound_is_the_least_above),
		with_world(limits_apply_in_version_2),
		with_world(limits_apply_in_version_1),
		with_world(limits_apply_to_sockets_in_version_1),
		with_world(limits_apply_in_a_mixture),
		with_world(limits_apply_to_devices),
		with_world(limits_apply_says_why_not),
		with_world(limits_apply_of_swap_alone_in_version_1),
		with_world(controller_enable_leaves_what_is_enabled),
		with_world(usage_of_what_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
