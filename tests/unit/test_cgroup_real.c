/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/cgroup on the real hierarchies, below a parent of the test's own. */
#include "cgroup_rig.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

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

	undo_groups(&real->tree, real->parent, "one", NULL);
	undo_groups(&real->tree, real->parent, "two", NULL);
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
	assert_succeeds(undo_groups(&real->tree, real->parent, "one", &err), &err);
	for (int i = 0; i < MEMBERS; i++)
		assert_killed(members[i]);
	assert_false(parent_is_there(real));
	assert_succeeds(undo_groups(&real->tree, real->parent, "one", &err), &err);
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
	cgroup_each_id(&real->tree, real->parent, collect_id, &ids);
	assert_int_equal(strv_length(ids), 2);
	assert_succeeds(undo_groups(&real->tree, real->parent, "one", &err), &err);
	assert_is_member(real, member, "/two/server", two.n_server);
	strv_cleanup(&ids);
	cgroup_each_id(&real->tree, real->parent, collect_id, &ids);
	assert_int_equal(strv_length(ids), 1);
	assert_string_equal(ids[0], "two");
	assert_succeeds(undo_groups(&real->tree, real->parent, "two", &err), &err);
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
		assert_succeeds(undo_groups(&real->tree, real->parent, "one", &err), &err);
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
	must_succeed(undo_groups(&real->tree, real->parent, "one", &err), &err);
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
	assert_succeeds(undo_groups(&real->tree, real->parent, "one", &err), &err);
	run_in_child(0, join_what_is_gone, &groups);
	cgroup_groups_close(&groups);
}

#define with_groups(test) cmocka_unit_test_setup_teardown(test, real_setup, real_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
