/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/cgroup: what mountinfo says of every kind of host, plain directories in place of a
 * hierarchy where the kernel's part does not matter, and the real ones where it does.
 */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "cgroup/cgroup.h"
#include "cgroup/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sys/xattr.h>

/* "MOUNT CONTROLLERS v1 leaves" for each hierarchy. */
/* An end as instances have it: the groups, then the parent when nobody uses it. */
static int undo(const struct cgroup_tree *tree, const char *parent, const char *id,
		struct error *err)
{
	int r = cgroup_undo(tree, parent, id, err);

	cgroup_remove_parent(tree, parent);
	return r;
}

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

/* A directory of the test in place of a hierarchy. */
static struct cgroup_tree plain_tree(char *mount, bool v2)
{
	return (struct cgroup_tree){
		.list = {{.mount = mount,
			  .controllers = v2 ? (char *)"" : (char *)"memory",
			  .v2 = v2,
			  .leaves = true}},
		.n = 1,
	};
}

static void make_plain_files(const struct world *w, const char *file)
{
	static const char *const groups[] = {"host", "server"};

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		cleanup_free char *path = xasprintf("parent/id/%s/%s", groups[i], file);

		world_file(w, path, "", 0644);
	}
}

static void cgroup_prepare_opens_the_right_files(void **state)
{
	struct world *w = *state;

	for (int v2 = 0; v2 < 2; v2++) {
		struct cgroup_tree tree = plain_tree(w->path, v2);
		cleanup_free char *server = NULL, *host = NULL;
		struct cgroup_groups groups;
		struct error err;

		make_plain_files(w, v2 ? "cgroup.procs" : "tasks");
		assert_succeeds(cgroup_prepare(&tree, "parent", "id", &groups, &err), &err);
		assert_int_equal(groups.n_host, 1);
		assert_int_equal(groups.n_server, 1);
		assert_int_equal(groups.leaf_host[0], groups.host[0]);
		assert_int_equal(fcntl(groups.host[0], F_GETFD), FD_CLOEXEC);
		assert_succeeds(cgroup_join(groups.server, groups.n_server, &err), &err);
		cgroup_groups_close(&groups);
		cgroup_groups_close(&groups);
		assert_succeeds(cgroup_reopen(&tree, "parent", "id", &groups, &err), &err);
		assert_int_equal(groups.n_host, 1);
		assert_int_equal(groups.n_server, 1);
		cgroup_groups_close(&groups);
		server = world_read(w, v2 ? "parent/id/server/cgroup.procs"
					  : "parent/id/server/tasks");
		host = world_read(w, v2 ? "parent/id/host/cgroup.procs" : "parent/id/host/tasks");
		assert_string_equal(server, "0");
		assert_string_equal(host, "");
		assert_int_equal(file_remove_tree(w->dir, "parent"), 0);
	}
}

static void cgroup_prepare_without_files_names_the_group(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = plain_tree(w->path, true);
	cleanup_free char *group = world_path(w, "parent/id");
	struct cgroup_groups groups;
	struct error err;

	/* what opens them again makes none */
	assert_fails(cgroup_reopen(&tree, "parent", "id", &groups, &err), -ENOENT, &err, group);
	cgroup_groups_close(&groups);
	assert_false(world_has(w, "parent"));
	assert_fails(cgroup_prepare(&tree, "parent", "id", &groups, &err), -ENOENT, &err, group);
	cgroup_groups_close(&groups);
	assert_succeeds(undo(&tree, "parent", "id", &err), &err);
	assert_false(world_has(w, "parent"));
}

/* Each new try starts over: what an earlier one opened must not pile up. */
static void cgroup_prepare_with_half_of_a_group_does_not_pile_up(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = plain_tree(w->path, true);
	struct cgroup_groups groups;
	struct error err;

	world_file(w, "parent/id/host/cgroup.procs", "", 0644);
	assert_fails(cgroup_prepare(&tree, "parent", "id", &groups, &err), -ENOENT, &err, "id");
	assert_true(groups.n_host <= 1);
	assert_int_equal(groups.n_server, 0);
	cgroup_groups_close(&groups);
}

static void cgroup_undo_of_plain_directories_twice_and_of_nothing(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = plain_tree(w->path, true);
	struct error err;

	assert_succeeds(undo(&tree, "parent", "id", &err), &err);
	world_directory(w, "parent/id/host", 0755);
	world_directory(w, "parent/id/server", 0755);
	world_directory(w, "parent/other/server", 0755);
	for (int i = 0; i < 2; i++) {
		assert_succeeds(undo(&tree, "parent", "id", &err), &err);
		assert_false(world_has(w, "parent/id"));
		assert_true(world_has(w, "parent/other/server"));
	}
	assert_succeeds(undo(&tree, "parent", "other", &err), &err);
	assert_false(world_has(w, "parent"));
}

static void cgroup_undo_of_a_half_made_group(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = plain_tree(w->path, false);
	struct error err;

	world_directory(w, "parent/id/server", 0755);
	assert_succeeds(undo(&tree, "parent", "id", &err), &err);
	assert_false(world_has(w, "parent"));
	world_directory(w, "parent/id", 0755);
	assert_succeeds(undo(&tree, "parent", "id", &err), &err);
	assert_false(world_has(w, "parent"));
}

static void cgroup_undo_names_what_stays(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = plain_tree(w->path, true);
	cleanup_free char *group = world_path(w, "parent/id");
	struct error err;

	world_file(w, "parent/id/server/foreign", "", 0644);
	assert_fails(undo(&tree, "parent", "id", &err), -ENOTEMPTY, &err, group);
	assert_true(world_has(w, "parent/id/server/foreign"));
}

static pid_t fork_waiter(void)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (pid == 0)
		wait_forever(NULL);
	return pid;
}

/*
 * A mount point is as busy as a group with processes. The list has a victim, and a zero, which is
 * how the kernel shows a process of another PID namespace: as a number it would mean everybody in
 * the caller's process group.
 */
static void undo_busy_group(const void *arg)
{
	struct world w = world_again(arg);
	cleanup_free char *place = world_path(&w, "parent/id/server");
	struct cgroup_tree tree = plain_tree(w.path, false);
	cleanup_free char *list = NULL;
	pid_t victim, bystander;
	struct error err = {0};
	int status;

	must(setpgid(0, 0) == 0);
	victim = fork_waiter();
	bystander = fork_waiter();
	must(mount("tmpfs", place, "tmpfs", 0, NULL) == 0);
	list = xasprintf("0\n1x\n-1\n%d\n%d\n", getpid(), victim);
	world_file(&w, "parent/id/server/cgroup.procs", list, 0644);
	must_fail(undo(&tree, "parent", "id", &err), &err, "parent/id");
	must(err.code == -EBUSY);
	must(waitpid(victim, &status, WNOHANG) == victim);
	must(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	must(waitpid(bystander, &status, WNOHANG) == 0);
	must(umount(place) == 0);
	must_succeed(undo(&tree, "parent", "id", &err), &err);
}

static void cgroup_undo_gives_up_on_a_group_that_stays_busy(void **state)
{
	struct world *w = *state;

	need_root();
	world_directory(w, "parent/id/server", 0755);
	run_in_child(CLONE_NEWNS | CLONE_NEWPID, undo_busy_group, w);
	assert_false(world_has(w, "parent"));
}

static int collect(const char *id, void *data)
{
	char ***ids = data;

	if (!strv_contains(*ids, id))
		strv_add(ids, id);
	return 0;
}

static int stop_at_once(const char *id, void *data)
{
	(void)id;
	++*(int *)data;
	return 42;
}

static void cgroup_each_id_of_plain_directories(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = plain_tree(w->path, true);
	cleanup_strv char **ids = NULL;
	int calls = 0;

	assert_int_equal(cgroup_each_id(&tree, "parent", collect, &ids), 0);
	assert_null(ids);
	world_directory(w, "parent/aaaa", 0755);
	world_directory(w, "parent/bbbb", 0755);
	world_file(w, "parent/cgroup.procs", "", 0644);
	assert_int_equal(cgroup_each_id(&tree, "parent", collect, &ids), 0);
	assert_int_equal(strv_length(ids), 2);
	assert_true(strv_contains(ids, "aaaa") && strv_contains(ids, "bbbb"));
	assert_int_equal(cgroup_each_id(&tree, "parent", stop_at_once, &calls), 42);
	assert_int_equal(calls, 1);
	tree.list[0].leaves = false;
	assert_int_equal(cgroup_each_id(&tree, "parent", stop_at_once, &calls), 0);
}

/* The real hierarchies, below a parent of the test's own. */

struct real {
	struct cgroup_tree tree;
	char parent[32];
	bool usable;
};

static int real_setup(void **state)
{
	struct real *real = xcalloc(1, sizeof(*real));

	snprintf(real->parent, sizeof(real->parent), "stint-unit-%d", getpid());
	*state = real;
	if (cgroup_tree_discover(&real->tree, NULL) < 0)
		return -1;
	for (size_t i = 0; i < real->tree.n; i++)
		real->usable |= is_root() && real->tree.list[i].leaves;
	return 0;
}

static bool parent_is_there(const struct real *real)
{
	bool there = false;

	for (size_t i = 0; i < real->tree.n; i++) {
		cleanup_free char *path =
			xasprintf("%s/%s", real->tree.list[i].mount, real->parent);

		there |= access(path, F_OK) == 0;
	}
	return there;
}

static int real_teardown(void **state)
{
	struct real *real = *state;
	bool left;

	undo(&real->tree, real->parent, "one", NULL);
	undo(&real->tree, real->parent, "two", NULL);
	left = parent_is_there(real);
	cgroup_tree_deinit(&real->tree);
	free(real);
	return left;
}

#define need_groups(real)            \
	do {                         \
		if (!(real)->usable) \
			skip();      \
	} while (0)

static struct cgroup_groups prepare(const struct real *real, const char *id)
{
	struct cgroup_groups groups;
	struct error err;

	assert_succeeds(cgroup_prepare(&real->tree, real->parent, id, &groups, &err), &err);
	return groups;
}

struct member {
	const int *fds;
	size_t n;
	int ready;
};

static void join_and_stay(const void *arg)
{
	const struct member *member = arg;
	struct error err;

	must_succeed(cgroup_join(member->fds, member->n, &err), &err);
	must(signal(SIGTERM, SIG_IGN) != SIG_ERR);
	say(member->ready);
	wait_forever(NULL);
}

static pid_t start_member(const int *fds, size_t n)
{
	struct member member = {.fds = fds, .n = n};
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	member.ready = ready[1];
	pid = start_child(join_and_stay, &member);
	hear(ready[0]);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static int count_words(const char *text, const char *word)
{
	int n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

static void assert_is_member(const struct real *real, pid_t pid, const char *rest, size_t times)
{
	cleanup_free char *path = xasprintf("/proc/%d/cgroup", pid);
	cleanup_free char *group = xasprintf(":/%s%s\n", real->parent, rest);
	cleanup_free char *text = NULL;

	assert_int_equal(file_read(AT_FDCWD, path, 1 << 16, &text, NULL), 0);
	if (times != (size_t)count_words(text, group))
		print_error("'%s' in:\n%s", group, text);
	assert_int_equal(count_words(text, group), times);
}

static void assert_killed(pid_t pid)
{
	int status = wait_status(pid);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void cgroup_prepare_makes_groups_that_can_be_joined(void **state)
{
	struct real *real = *state;
	struct cgroup_groups groups;
	pid_t host, server;

	need_groups(real);
	groups = prepare(real, "one");
	assert_int_equal(groups.n_host, real->tree.n);
	assert_true(groups.n_server > 0 && groups.n_server <= groups.n_host);
	host = start_member(groups.host, groups.n_host);
	server = start_member(groups.server, groups.n_server);
	assert_is_member(real, host, "/one/host", groups.n_server);
	assert_is_member(real, host, "", groups.n_host - groups.n_server);
	assert_is_member(real, server, "/one/server", groups.n_server);
	kill(host, SIGKILL);
	kill(server, SIGKILL);
	assert_killed(host);
	assert_killed(server);
	cgroup_groups_close(&groups);
}

/* Waits in the group in which it was born, and joins the others of version 1. */
static pid_t start_born(const struct cgroup_groups *groups, bool *ret_inside)
{
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = cgroup_fork(groups->n_directories ? groups->directories[CGROUP_SERVER] : -1,
			  ret_inside);
	if (pid == 0) {
		struct error err;

		must_succeed(cgroup_join_others(groups->server, groups->n_server, &err), &err);
		say(ready[1]);
		wait_forever(NULL);
	}
	hear(ready[0]);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void cgroup_fork_is_born_in_version_2(void **state)
{
	struct real *real = *state;
	struct cgroup_groups groups;
	bool inside;
	pid_t pid;

	need_groups(real);
	groups = prepare(real, "one");
	pid = start_born(&groups, &inside);
	/* without version 2 the groups of version 1 are all that there are */
	assert_int_equal(inside, groups.n_directories > 0);
	assert_is_member(real, pid, "/one/server", groups.n_server);
	if (inside)
		assert_true(cgroup_is_directory(groups.directories[CGROUP_SERVER]));
	assert_false(cgroup_is_directory(groups.server[0]));
	kill(pid, SIGKILL);
	assert_killed(pid);
	cgroup_groups_close(&groups);
}

#define MEMBERS 20

static void cgroup_undo_kills_and_removes(void **state)
{
	struct real *real = *state;
	struct cgroup_groups groups;
	pid_t members[MEMBERS];
	struct error err;

	need_groups(real);
	groups = prepare(real, "one");
	for (int i = 0; i < MEMBERS; i++)
		members[i] = i % 2 ? start_member(groups.leaf_host, groups.n_server)
				   : start_member(groups.server, groups.n_server);
	assert_succeeds(undo(&real->tree, real->parent, "one", &err), &err);
	for (int i = 0; i < MEMBERS; i++)
		assert_killed(members[i]);
	assert_false(parent_is_there(real));
	assert_succeeds(undo(&real->tree, real->parent, "one", &err), &err);
	cgroup_groups_close(&groups);
}

static void cgroup_undo_spares_other_instances(void **state)
{
	struct real *real = *state;
	struct cgroup_groups one, two;
	cleanup_strv char **ids = NULL;
	struct error err;
	pid_t member;

	need_groups(real);
	one = prepare(real, "one");
	two = prepare(real, "two");
	member = start_member(two.server, two.n_server);
	cgroup_each_id(&real->tree, real->parent, collect, &ids);
	assert_int_equal(strv_length(ids), 2);
	assert_succeeds(undo(&real->tree, real->parent, "one", &err), &err);
	assert_is_member(real, member, "/two/server", two.n_server);
	strv_cleanup(&ids);
	cgroup_each_id(&real->tree, real->parent, collect, &ids);
	assert_int_equal(strv_length(ids), 1);
	assert_string_equal(ids[0], "two");
	assert_succeeds(undo(&real->tree, real->parent, "two", &err), &err);
	assert_killed(member);
	assert_false(parent_is_there(real));
	cgroup_groups_close(&one);
	cgroup_groups_close(&two);
}

static void cgroup_undo_of_nothing_real(void **state)
{
	struct real *real = *state;
	struct error err;

	need_groups(real);
	for (int i = 0; i < 2; i++)
		assert_succeeds(undo(&real->tree, real->parent, "one", &err), &err);
	assert_false(parent_is_there(real));
}

struct leaver {
	const struct real *real;
	const struct cgroup_groups *groups;
};

static void undo_own_groups(const void *arg)
{
	const struct leaver *leaver = arg;
	const struct real *real = leaver->real;
	struct error err;

	must_succeed(cgroup_join(leaver->groups->host, leaver->groups->n_host, &err), &err);
	must_succeed(undo(&real->tree, real->parent, "one", &err), &err);
	must(!parent_is_there(real));
}

/* The keeper turns into the program that undoes its own instance. */
static void cgroup_undo_by_a_member(void **state)
{
	struct real *real = *state;
	struct cgroup_groups groups;
	struct leaver leaver = {.real = real, .groups = &groups};
	pid_t other;

	need_groups(real);
	groups = prepare(real, "one");
	other = start_member(groups.leaf_host, groups.n_server);
	run_in_child(0, undo_own_groups, &leaver);
	assert_killed(other);
	assert_false(parent_is_there(real));
	cgroup_groups_close(&groups);
}

static void join_what_is_gone(const void *arg)
{
	const struct cgroup_groups *groups = arg;
	struct error err = {0};

	must_fail(cgroup_join(groups->server, groups->n_server, &err), &err, "control group");
}

static void cgroup_join_of_a_removed_group(void **state)
{
	struct real *real = *state;
	struct cgroup_groups groups;
	struct error err;

	need_groups(real);
	groups = prepare(real, "one");
	assert_succeeds(undo(&real->tree, real->parent, "one", &err), &err);
	run_in_child(0, join_what_is_gone, &groups);
	cgroup_groups_close(&groups);
}

static void cgroup_prepare_without_hierarchies_refuses(void **state)
{
	const struct cgroup_tree tree = {0};
	struct cgroup_groups groups;
	struct error err = {0};

	(void)state;
	assert_int_equal(cgroup_prepare(&tree, "stint", "one", &groups, &err), -EPERM);
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_non_null(strstr(err.text, "ProtectControlGroups"));
	cgroup_groups_close(&groups);
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

#define with_groups(test) cmocka_unit_test_setup_teardown(test, real_setup, real_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(cgroup_tree_parse_of_every_kind_of_host),
		with_world(cgroup_tree_parse_of_every_beginning),
		with_world(cgroup_tree_parse_stops_when_it_is_full),
		with_world(cgroup_tree_parse_leaves_out_what_is_read_only),
		with_world(cgroup_tree_discover_without_proc),
		with_world(cgroup_view_of_every_kind_of_hierarchy),
		with_world(cgroup_prepare_opens_the_right_files),
		with_world(cgroup_prepare_without_hierarchies_refuses),
		with_world(cgroup_choose_parent_below_what_was_delegated),
		with_world(cgroup_choose_parent_below_the_active_unit),
		with_world(cgroup_prepare_without_files_names_the_group),
		with_world(cgroup_prepare_with_half_of_a_group_does_not_pile_up),
		with_world(cgroup_undo_of_plain_directories_twice_and_of_nothing),
		with_world(cgroup_undo_of_a_half_made_group),
		with_world(cgroup_undo_names_what_stays),
		with_world(cgroup_undo_gives_up_on_a_group_that_stays_busy),
		with_world(cgroup_each_id_of_plain_directories),
		with_groups(cgroup_prepare_makes_groups_that_can_be_joined),
		with_groups(cgroup_fork_is_born_in_version_2),
		with_groups(cgroup_undo_kills_and_removes),
		with_groups(cgroup_undo_spares_other_instances),
		with_groups(cgroup_undo_of_nothing_real),
		with_groups(cgroup_undo_by_a_member),
		with_groups(cgroup_join_of_a_removed_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
