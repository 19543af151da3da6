/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/cgroup/totals: plain directories stand for hierarchies of either version, or of both. */
#include "world.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "cgroup/totals.h"

#define GROUP "stint/a1b2c3d4/server"

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

static void add_file(const struct world *w, const char *mount, const char *file,
		     const char *content)
{
	cleanup_free char *path = xasprintf("%s/" GROUP "/%s", mount, file);

	world_file(w, path, content, 0644);
}

static void add_v1(const struct world *w, struct cgroup_tree *tree)
{
	add_mount(w, tree, "memory", "memory");
	add_mount(w, tree, "cpu", "cpu,cpuacct");
	add_mount(w, tree, "blkio", "blkio");
	add_file(w, "memory", "memory.max_usage_in_bytes", "4096\n");
	add_file(w, "cpu", "cpuacct.usage", "1234567\n");
	add_file(w, "blkio", "blkio.throttle.io_service_bytes",
		 "8:16 Read 1\n8:16 Write 100\n8:16 Sync 7\n8:16 Total 101\n"
		 "8:0 Read 2\n8:0 Write 1000\n8:0 Total 1002\nTotal 1103\n");
}

static void add_v2(const struct world *w, struct cgroup_tree *tree, const char *controllers)
{
	add_mount(w, tree, "v2", NULL);
	world_file(w, "v2/cgroup.controllers", controllers, 0644);
	add_file(w, "v2", "cpu.stat", "usage_usec 77\nuser_usec 50\nsystem_usec 27\n");
}

static void read_v1(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = {0};
	struct cgroup_totals totals;

	add_v1(w, &tree);
	cgroup_totals_read(&tree, GROUP, &totals);
	assert_int_equal(totals.memory_peak, 4096);
	assert_int_equal(totals.cpu_ns, 1234567);
	assert_int_equal(totals.io_written, 1100);
	assert_string_equal(totals.io_by, "cgroup v1 blkio");
	cgroup_tree_deinit(&tree);
}

static void read_v2(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = {0};
	struct cgroup_totals totals;

	add_v2(w, &tree, "cpu io memory pids\n");
	add_file(w, "v2", "memory.peak", "8192\n");
	add_file(w, "v2", "io.stat",
		 "8:16 rbytes=1 wbytes=200 rios=1 wios=1 dbytes=0 dios=0\n8:0 rbytes=5 wbytes=2\n");
	cgroup_totals_read(&tree, GROUP, &totals);
	assert_int_equal(totals.memory_peak, 8192);
	assert_int_equal(totals.cpu_ns, 77000);
	assert_int_equal(totals.io_written, 202);
	assert_string_equal(totals.io_by, "cgroup v2 io");
	cgroup_tree_deinit(&tree);
}

/* Memory by version 1, processor time by version 2, which needs no controller for that. */
static void read_hybrid(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = {0};
	struct cgroup_totals totals;

	add_mount(w, &tree, "memory", "memory");
	add_file(w, "memory", "memory.max_usage_in_bytes", "4096\n");
	add_v2(w, &tree, "hugetlb\n");
	cgroup_totals_read(&tree, GROUP, &totals);
	assert_int_equal(totals.memory_peak, 4096);
	assert_int_equal(totals.cpu_ns, 77000);
	assert_int_equal(totals.io_written, -1);
	assert_string_equal(totals.io_by, "");
	cgroup_tree_deinit(&tree);
}

/* An old kernel has no "memory.peak"; a controller that is not enabled has no files. */
static void read_what_nobody_counts(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = {0};
	struct cgroup_totals totals;

	cgroup_totals_read(&tree, GROUP, &totals);
	assert_int_equal(totals.cpu_ns, -1);
	add_v2(w, &tree, "cpu io memory pids\n");
	cgroup_totals_read(&tree, GROUP, &totals);
	assert_int_equal(totals.memory_peak, -1);
	assert_int_equal(totals.io_written, -1);
	cgroup_totals_read(&tree, "stint/gone/server", &totals);
	assert_int_equal(totals.cpu_ns, -1);
	cgroup_tree_deinit(&tree);
}

static void read_nonsense(void **state)
{
	static const char *const words[] = {"", "\n", "x", "-1\n", "99999999999999999999\n"};
	struct world *w = *state;
	struct cgroup_tree tree = {0};
	struct cgroup_totals totals;

	add_v1(w, &tree);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		add_file(w, "memory", "memory.max_usage_in_bytes", words[i]);
		cgroup_totals_read(&tree, GROUP, &totals);
		assert_int_equal(totals.memory_peak, -1);
	}
	add_file(w, "blkio", "blkio.throttle.io_service_bytes", "Total 0\n");
	cgroup_totals_read(&tree, GROUP, &totals);
	assert_int_equal(totals.io_written, 0);
	add_file(w, "blkio", "blkio.throttle.io_service_bytes",
		 "8:0 Write 9223372036854775807\n8:1 Write 1\n");
	cgroup_totals_read(&tree, GROUP, &totals);
	assert_int_equal(totals.io_written, -1);
	cgroup_tree_deinit(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(read_v1),	   with_world(read_v2),
		with_world(read_hybrid),   with_world(read_what_nobody_counts),
		with_world(read_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
