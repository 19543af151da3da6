/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/cgroup on plain directories in place of a hierarchy, where the kernel's part does not
 * matter: what is opened, undone and named.
 */
#include "cgroup_rig.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

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
	assert_succeeds(undo_groups(&tree, "parent", "id", &err), &err);
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

	assert_succeeds(undo_groups(&tree, "parent", "id", &err), &err);
	world_directory(w, "parent/id/host", 0755);
	world_directory(w, "parent/id/server", 0755);
	world_directory(w, "parent/other/server", 0755);
	for (int i = 0; i < 2; i++) {
		assert_succeeds(undo_groups(&tree, "parent", "id", &err), &err);
		assert_false(world_has(w, "parent/id"));
		assert_true(world_has(w, "parent/other/server"));
	}
	assert_succeeds(undo_groups(&tree, "parent", "other", &err), &err);
	assert_false(world_has(w, "parent"));
}

static void cgroup_undo_of_a_half_made_group(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = plain_tree(w->path, false);
	struct error err;

	world_directory(w, "parent/id/server", 0755);
	assert_succeeds(undo_groups(&tree, "parent", "id", &err), &err);
	assert_false(world_has(w, "parent"));
	world_directory(w, "parent/id", 0755);
	assert_succeeds(undo_groups(&tree, "parent", "id", &err), &err);
	assert_false(world_has(w, "parent"));
}

static void cgroup_undo_names_what_stays(void **state)
{
	struct world *w = *state;
	struct cgroup_tree tree = plain_tree(w->path, true);
	cleanup_free char *group = world_path(w, "parent/id");
	struct error err;

	world_file(w, "parent/id/server/foreign", "", 0644);
	assert_fails(undo_groups(&tree, "parent", "id", &err), -ENOTEMPTY, &err, group);
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
	must_fail(undo_groups(&tree, "parent", "id", &err), &err, "parent/id");
	must(err.code == -EBUSY);
	must(waitpid(victim, &status, WNOHANG) == victim);
	must(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	must(waitpid(bystander, &status, WNOHANG) == 0);
	must(umount(place) == 0);
	must_succeed(undo_groups(&tree, "parent", "id", &err), &err);
}

static void cgroup_undo_gives_up_on_a_group_that_stays_busy(void **state)
{
	struct world *w = *state;

	need_root();
	world_directory(w, "parent/id/server", 0755);
	run_in_child(CLONE_NEWNS | CLONE_NEWPID, undo_busy_group, w);
	assert_false(world_has(w, "parent"));
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

	assert_int_equal(cgroup_each_id(&tree, "parent", collect_id, &ids), 0);
	assert_null(ids);
	world_directory(w, "parent/aaaa", 0755);
	world_directory(w, "parent/bbbb", 0755);
	world_file(w, "parent/cgroup.procs", "", 0644);
	assert_int_equal(cgroup_each_id(&tree, "parent", collect_id, &ids), 0);
	assert_int_equal(strv_length(ids), 2);
	assert_true(strv_contains(ids, "aaaa") && strv_contains(ids, "bbbb"));
	assert_int_equal(cgroup_each_id(&tree, "parent", stop_at_once, &calls), 42);
	assert_int_equal(calls, 1);
	tree.list[0].leaves = false;
	assert_int_equal(cgroup_each_id(&tree, "parent", stop_at_once, &calls), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(cgroup_prepare_opens_the_right_files),
		with_world(cgroup_prepare_without_hierarchies_refuses),
		with_world(cgroup_prepare_without_files_names_the_group),
		with_world(cgroup_prepare_with_half_of_a_group_does_not_pile_up),
		with_world(cgroup_undo_of_plain_directories_twice_and_of_nothing),
		with_world(cgroup_undo_of_a_half_made_group),
		with_world(cgroup_undo_names_what_stays),
		with_world(cgroup_undo_gives_up_on_a_group_that_stays_busy),
		with_world(cgroup_each_id_of_plain_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
