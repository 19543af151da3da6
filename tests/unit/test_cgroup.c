/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/cgroup: what mountinfo says of every kind of host, and where instances' groups belong. */
#include "world.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "cgroup/cgroup.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/xattr.h>

/* "MOUNT CONTROLLERS v1 leaves" for each hierarchy. */
static char *describe(const struct cgroup_tree *tree)
{
	struct text out = {0};

	for (size_t i = 0; i < tree->n; i++) {
		const struct cgroup_hierarchy *h = &tree->list[i];

		text_addf(&out, "%s [%s] %s%s\n", h->mount, h->controllers, h->v2 ? "v2" : "v1",
			  h->leaves ? " leaves" : "");
	}
	return text_take(&out);
}

/* '@' is a directory of the test. */
struct parsing {
	const char *name, *mountinfo, *tree;
};

static const struct parsing parsings[] = {
	{"nothing", "", ""},
	{"no group", "22 1 0:20 / @ rw - tmpfs tmpfs rw\n", ""},
	{"version 2",
	 "24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	 "35 24 0:30 / @/a rw,nosuid shared:9 - cgroup2 cgroup2 "
	 "rw,nsdelegate,memory_recursiveprot\n",
	 "@/a [] v2 leaves\n"},
	{"version 1",
	 "30 24 0:25 / @ ro,nosuid shared:8 - tmpfs tmpfs ro,mode=755\n"
	 "31 30 0:26 / @/a rw shared:9 - cgroup cgroup rw,xattr,name=systemd\n"
	 "32 30 0:27 / @/b rw shared:10 - cgroup cgroup rw,memory\n"
	 "33 30 0:28 / @/c rw shared:11 - cgroup cgroup rw,freezer\n",
	 "@/a [name=systemd] v1\n@/b [memory] v1 leaves\n@/c [freezer] v1\n"},
	{"both",
	 "32 31 0:29 / @/a rw,relatime - cgroup cgroup rw,pids\n"
	 "41 31 0:38 / @/b rw,relatime - cgroup2 cgroup2 rw\n"
	 "42 31 0:39 / @/c rw,relatime - cgroup cgroup rw,cpuset\n",
	 "@/a [pids] v1 leaves\n@/b [] v2 leaves\n@/c [cpuset] v1\n"},
	{"mounted together",
	 "32 31 0:29 / @/a rw - cgroup cgroup rw,cpu,cpuacct\n"
	 "33 31 0:30 / @/b rw - cgroup cgroup rw,net_cls,net_prio\n",
	 "@/a [cpu,cpuacct] v1 leaves\n@/b [net_cls,net_prio] v1\n"},
	{"options that are no controllers",
	 "32 31 0:29 / @/a rw - cgroup cgroup "
	 "rw,xattr,clone_children,noprefix,favordynmods,seclabel,release_agent=/lib/agent,blkio\n"
	 "33 31 0:30 / @/b rw - cgroup cgroup rw,cpuset,cpuset_v2_mode\n",
	 "@/a [blkio] v1 leaves\n@/b [cpuset] v1\n"},
	{"mounted twice",
	 "32 31 0:29 / @/a rw - cgroup cgroup rw,memory\n"
	 "33 31 0:29 / @/b rw - cgroup cgroup rw,memory\n"
	 "34 31 0:30 / @/c rw - cgroup2 cgroup2 rw\n"
	 "35 31 0:30 / @/a rw - cgroup2 cgroup2 rw\n",
	 "@/a [memory] v1 leaves\n@/c [] v2 leaves\n"},
	{"escapes", "32 31 0:29 / @/with\\040blank\\134and\\011more rw - cgroup2 cgroup2 rw\n",
	 "@/with blank\\and\tmore [] v2 leaves\n"},
	{"gone",
	 "32 31 0:29 / @/missing rw - cgroup2 cgroup2 rw\n"
	 "33 31 0:30 / @/a rw - cgroup cgroup rw,memory\n",
	 "@/a [memory] v1 leaves\n"},
	{"unlike mountinfo",
	 "cgroup2\n - cgroup2\n1 2 3 4 - cgroup2 x rw\n\n32 31 0:29 / @/a rw - cgroup2\n"
	 "32 31 0:29 / @/a rw cgroup2 cgroup2 rw\n32 31 0:29 / @/a rw - cgroup2 cgroup2 rw",
	 "@/a [] v2 leaves\n"},
};

static void assert_parses(const struct world *w, const struct parsing *parsing)
{
	cleanup_free char *mountinfo = world_expand(w, parsing->mountinfo);
	cleanup_free char *expected = world_expand(w, parsing->tree);
	cleanup_free char *found = NULL;
	struct cgroup_tree tree;
	struct error err;

	assert_succeeds(cgroup_tree_parse(mountinfo, &tree, &err), &err);
	found = describe(&tree);
	if (strcmp(found, expected) != 0)
		print_error("%s:\n", parsing->name);
	assert_string_equal(found, expected);
	cgroup_tree_deinit(&tree);
	cgroup_tree_deinit(&tree);
}

static void make_places(const struct world *w)
{
	world_directory(w, "a", 0755);
	world_directory(w, "b", 0755);
	world_directory(w, "c", 0755);
	world_directory(w, "with blank\\and\tmore", 0755);
}

static void cgroup_tree_parse_of_every_kind_of_host(void **state)
{
	make_places(*state);
	for (size_t i = 0; i < ARRAY_SIZE(parsings); i++)
		assert_parses(*state, &parsings[i]);
}

/* No beginning of a file is more than the whole, and none is read beyond its end. */
static void cgroup_tree_parse_of_every_beginning(void **state)
{
	struct world *w = *state;

	make_places(w);
	for (size_t i = 0; i < ARRAY_SIZE(parsings); i++) {
		cleanup_free char *text = world_expand(w, parsings[i].mountinfo);

		for (size_t length = strlen(text); length-- > 0;) {
			struct cgroup_tree tree;

			text[length] = '\0';
			assert_int_equal(cgroup_tree_parse(text, &tree, NULL), 0);
			cgroup_tree_deinit(&tree);
		}
	}
}

static void cgroup_tree_parse_stops_when_it_is_full(void **state)
{
	struct world *w = *state;
	cleanup_free char *text = NULL;
	struct text lines = {0};
	struct cgroup_tree tree;

	for (int i = 0; i < 2 * CGROUP_HIERARCHIES_MAX; i++)
		text_addf(&lines, "1 2 0:3 / %s rw - cgroup cgroup rw,name=%d\n", w->path, i);
	text = text_take(&lines);
	assert_int_equal(cgroup_tree_parse(text, &tree, NULL), 0);
	assert_int_equal(tree.n, CGROUP_HIERARCHIES_MAX);
	cgroup_tree_deinit(&tree);
}

static void leave_out_read_only(const void *arg)
{
	const struct world *w = arg;
	cleanup_free char *place = world_path(w, "a");
	cleanup_free char *text = xasprintf("1 2 0:3 / %s ro - cgroup cgroup rw,memory\n", place);
	struct cgroup_tree tree;

	must(mount("tmpfs", place, "tmpfs", MS_RDONLY, NULL) == 0);
	must(cgroup_tree_parse(text, &tree, NULL) == 0);
	must(tree.n == 0);
	must(umount(place) == 0);
	must(cgroup_tree_parse(text, &tree, NULL) == 0);
	must(tree.n == 1);
	cgroup_tree_deinit(&tree);
}

static void cgroup_tree_parse_leaves_out_what_is_read_only(void **state)
{
	need_root();
	make_places(*state);
	run_in_child(CLONE_NEWNS, leave_out_read_only, *state);
}

static void discover_without_proc(const void *arg)
{
	struct cgroup_tree tree;
	struct error err = {0};

	(void)arg;
	memset(&tree, 0x55, sizeof(tree));
	must(mount("tmpfs", "/proc", "tmpfs", 0, NULL) == 0);
	must_fail(cgroup_tree_discover(&tree, &err), &err, "'/proc/self/mountinfo'");
	cgroup_tree_deinit(&tree);
}

/* Callers end the tree also after a failure. */
static void cgroup_tree_discover_without_proc(void **state)
{
	(void)state;
	need_root();
	run_in_child(CLONE_NEWNS, discover_without_proc, NULL);
}

static void cgroup_view_of_every_kind_of_hierarchy(void **state)
{
	static const struct {
		struct cgroup_hierarchy h;
		const char *source, *target;
	} cases[] = {
		{{(char *)"/m", (char *)"", true, true}, "/m/p/id/server", "/sys/fs/cgroup"},
		{{(char *)"/m", (char *)"cpu,cpuacct", false, true},
		 "/m/p/id/server",
		 "/sys/fs/cgroup/cpu,cpuacct"},
		{{(char *)"/m", (char *)"cpuset", false, false}, "/m/p", "/sys/fs/cgroup/cpuset"},
		{{(char *)"/m", (char *)"freezer", false, false}, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *source = NULL, *target = NULL;
		bool seen = cgroup_view(&cases[i].h, "p", "id", &source, &target);

		assert_int_equal(seen, cases[i].source != NULL);
		if (!seen)
			continue;
		assert_string_equal(source, cases[i].source);
		assert_string_equal(target, cases[i].target);
	}
}

static void assert_parent(const struct world *w, const char *group, const char *parent)
{
	cleanup_free char *root = world_expand(w, "@");
	cleanup_free char *found = cgroup_choose_parent(root, group, "mine");

	assert_string_equal(found, parent);
}

/* What was delegated is not made by stint, so it must not be the parent, which is removed. */
static void cgroup_choose_parent_below_what_was_delegated(void **state)
{
	struct world *w = *state;
	cleanup_free char *own = world_expand(w, "@" CGROUP_MOUNT "/own");

	world_directory(w, "sys", 0755);
	world_directory(w, "sys/fs", 0755);
	world_directory(w, "sys/fs/cgroup", 0755);
	world_directory(w, "sys/fs/cgroup/own", 0755);
	assert_parent(w, NULL, "mine");
	assert_parent(w, "own", "own");
	assert_parent(w, "none", "none");
	if (setxattr(own, "user.delegate", "1", 1, 0) < 0)
		skip();
	assert_parent(w, NULL, "mine");
	assert_parent(w, "own", "own/mine");
	assert_int_equal(setxattr(own, "user.delegate", "0", 1, 0), 0);
	assert_parent(w, "own", "own");
}

static void cgroup_choose_parent_below_the_active_unit(void **state)
{
	struct world *w = *state;
	cleanup_free char *link = world_expand(w, "@/run/systemd/units/invocation:stint.service");

	world_directory(w, "run", 0755);
	world_directory(w, "run/systemd", 0755);
	world_directory(w, "run/systemd/units", 0755);
	world_directory(w, "sys", 0755);
	world_directory(w, "sys/fs", 0755);
	world_directory(w, "sys/fs/cgroup", 0755);
	/* the slice stays when the unit was stopped */
	world_directory(w, "sys/fs/cgroup/stint.slice", 0755);
	assert_parent(w, NULL, "mine");
	assert_parent(w, CGROUP_UNIT, CGROUP_UNIT);
	assert_int_equal(symlink("6c0ffee", link), 0);
	assert_parent(w, NULL, CGROUP_UNIT "/mine");
	assert_parent(w, CGROUP_UNIT, CGROUP_UNIT "/mine");
	assert_parent(w, "other", "other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(cgroup_tree_parse_of_every_kind_of_host),
		with_world(cgroup_tree_parse_of_every_beginning),
		with_world(cgroup_tree_parse_stops_when_it_is_full),
		with_world(cgroup_tree_parse_leaves_out_what_is_read_only),
		with_world(cgroup_tree_discover_without_proc),
		with_world(cgroup_view_of_every_kind_of_hierarchy),
		with_world(cgroup_choose_parent_below_what_was_delegated),
		with_world(cgroup_choose_parent_below_the_active_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
