/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/instance/steps and site: what a start makes on the host is gone after its undo, wherever
 * the start failed, however often the undo runs, and when there was nothing to undo.
 */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "cgroup/inside.h"
#include "instance/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define ID "0123abcd"
#define OTHER "deadbeef"
#define RUN "run/stint/i/" ID
#define STATE "var/lib/stint/i/" ID

struct ground {
	struct world *world;
	struct site site;
	char *app;
	struct record record;
};

static int ground_setup(void **state)
{
	struct ground *ground = xcalloc(1, sizeof(*ground));
	struct error err;

	*state = ground;
	ground->site.state = ground->site.run = -1;
	if (world_setup((void **)&ground->world))
		return -1;
	setenv("STINT_ROOT", ground->world->path, 1);
	if (is_root() && site_open(&ground->site, &err) < 0)
		return -1;
	world_file(ground->world, "app/bin/server", "", 0755);
	world_directory(ground->world, "app", 02750);
	ground->app = world_path(ground->world, "app");
	strcpy(ground->record.grant.id, ID);
	strv_add(&ground->record.layers, ground->app);
	ground->record.cgroup = ground->site.cgroup;
	return 0;
}

static int ground_teardown(void **state)
{
	static const char *const ids[] = {OTHER, ID};
	struct ground *ground = *state;
	int r;

	unsetenv("STINT_ROOT");
	for (size_t i = 0; is_root() && i < ARRAY_SIZE(ids); i++) {
		snprintf(ground->record.grant.id, sizeof(ground->record.grant.id), "%s", ids[i]);
		steps_undo(&ground->site, &ground->record, NULL);
	}
	strv_free(ground->record.layers);
	free(ground->app);
	site_close(&ground->site);
	r = world_teardown((void **)&ground->world);
	free(ground);
	return r;
}

/* Wherever this instance has a group. */
static size_t count_groups(const struct ground *ground)
{
	struct cgroup_tree tree;
	size_t n = 0;

	if (cgroup_tree_discover(&tree, NULL) < 0)
		return 0;
	for (size_t i = 0; i < tree.n; i++) {
		cleanup_free char *path =
			xasprintf("%s/%s/" ID, tree.list[i].mount, ground->record.cgroup);

		n += access(path, F_OK) == 0;
	}
	cgroup_tree_deinit(&tree);
	return n;
}

/* In a child with mounts of its own: descriptors from outside show none of them. */
static struct ground ground_again(const struct ground *outside)
{
	struct ground ground = *outside;
	static struct world world;
	struct error err = {0};

	world = world_again(outside->world);
	ground.world = &world;
	must_succeed(site_open(&ground.site, &err), &err);
	ground.record.cgroup = ground.site.cgroup;
	return ground;
}

static bool nothing_is_left(const struct ground *ground)
{
	return !world_has(ground->world, RUN) && !world_has(ground->world, STATE) &&
	       count_groups(ground) == 0;
}

static int undo(const struct ground *ground, struct error *err)
{
	return steps_undo(&ground->site, &ground->record, err);
}

static void steps_prepare_makes_everything(void **state)
{
	struct ground *ground = *state;
	struct prepared prepared;
	struct error err;

	need_root();
	assert_succeeds(steps_prepare(&ground->site, &ground->record, &prepared, &err), &err);
	assert_true(world_has(ground->world, RUN));
	assert_true(world_has(ground->world, STATE "/log"));
	assert_true(world_has(ground->world, STATE "/layer/0/upper"));
	assert_true(world_has(ground->world, STATE "/layer/0/work"));
	assert_int_equal(count_groups(ground), prepared.groups.n_server);
	assert_int_equal(prepared.groups.n_host, prepared.tree.n);
	assert_int_equal(fcntl(prepared.run, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(prepared.log, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(prepared.log, F_GETFL) & O_ACCMODE, O_WRONLY);
	prepared_deinit(&prepared);
	prepared_deinit(&prepared);
}

static void assert_mode(const struct ground *ground, const char *path, mode_t mode, uid_t uid)
{
	struct stat st;

	assert_int_equal(fstatat(ground->world->dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(st.st_uid, uid);
}

/* The upper's top is what the inside sees as the install's own directory. */
static void steps_prepare_copies_owner_and_mode(void **state)
{
	struct ground *ground = *state;
	struct prepared prepared;
	struct error err;

	need_root();
	assert_int_equal(chown(ground->app, 1234, 2345), 0);
	assert_int_equal(chmod(ground->app, 02750), 0);
	assert_succeeds(steps_prepare(&ground->site, &ground->record, &prepared, &err), &err);
	assert_mode(ground, STATE "/layer/0/upper", 02750, 1234);
	assert_mode(ground, STATE "/layer/0/work", 0700, 0);
	assert_mode(ground, STATE, 0700, 0);
	assert_mode(ground, STATE "/log", 0600, 0);
	assert_mode(ground, RUN, 0700, 0);
	prepared_deinit(&prepared);
}

static void steps_undo_twice(void **state)
{
	struct ground *ground = *state;
	struct prepared prepared;
	struct error err;

	need_root();
	for (int round = 0; round < 2; round++) {
		assert_succeeds(steps_prepare(&ground->site, &ground->record, &prepared, &err),
				&err);
		prepared_deinit(&prepared);
		for (int i = 0; i < 2; i++) {
			assert_succeeds(undo(ground, &err), &err);
			assert_true(nothing_is_left(ground));
		}
	}
}

/* A sweep knows of strays nothing but their id and the parent group. */
static void steps_undo_of_an_empty_record(void **state)
{
	struct ground *ground = *state;
	struct record bare = {.cgroup = ground->site.cgroup};
	struct prepared prepared;
	struct error err;

	need_root();
	strcpy(bare.grant.id, ID);
	for (int i = 0; i < 2; i++)
		assert_succeeds(steps_undo(&ground->site, &bare, &err), &err);
	assert_succeeds(steps_prepare(&ground->site, &ground->record, &prepared, &err), &err);
	prepared_deinit(&prepared);
	assert_succeeds(steps_undo(&ground->site, &bare, &err), &err);
	assert_true(nothing_is_left(ground));
}

/* Each object alone may be all that a killed start or end has left. */
static void steps_undo_of_each_part_alone(void **state)
{
	static const char *const parts[] = {RUN, STATE, STATE "/layer/0/upper", RUN "/control"};
	struct ground *ground = *state;
	struct error err;

	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		world_directory(ground->world, parts[i], 0700);
		assert_succeeds(undo(ground, &err), &err);
		assert_true(nothing_is_left(ground));
	}
}

static void steps_undo_of_groups_alone(void **state)
{
	struct ground *ground = *state;
	struct cgroup_groups groups;
	struct cgroup_tree tree;
	struct error err;

	need_root();
	assert_succeeds(cgroup_tree_discover(&tree, &err), &err);
	assert_succeeds(cgroup_prepare(&tree, ground->record.cgroup, ID, &groups, &err), &err);
	cgroup_groups_close(&groups);
	cgroup_tree_deinit(&tree);
	for (int i = 0; i < 2; i++) {
		assert_succeeds(undo(ground, &err), &err);
		assert_true(nothing_is_left(ground));
	}
}

static void steps_undo_removes_what_the_inside_left(void **state)
{
	struct ground *ground = *state;
	const struct world *w = ground->world;
	struct prepared prepared;
	struct error err;

	need_root();
	assert_succeeds(steps_prepare(&ground->site, &ground->record, &prepared, &err), &err);
	prepared_deinit(&prepared);
	world_link(w, ground->app, STATE "/layer/0/upper/link");
	world_file(w, STATE "/layer/0/upper/closed/file", "", 0);
	world_directory(w, STATE "/layer/0/upper/closed", 0);
	world_directory(w, STATE "/layer/0/work/work", 0);
	assert_int_equal(mknodat(w->dir, STATE "/layer/0/upper/whiteout", S_IFCHR, 0), 0);
	assert_succeeds(undo(ground, &err), &err);
	assert_true(nothing_is_left(ground));
	assert_true(world_has(w, "app/bin/server"));
}

static void steps_undo_spares_other_instances(void **state)
{
	struct ground *ground = *state;
	struct record other = ground->record;
	struct prepared mine, others;
	struct error err;

	need_root();
	strcpy(other.grant.id, OTHER);
	assert_succeeds(steps_prepare(&ground->site, &other, &others, &err), &err);
	assert_succeeds(steps_prepare(&ground->site, &ground->record, &mine, &err), &err);
	prepared_deinit(&mine);
	assert_succeeds(undo(ground, &err), &err);
	assert_true(nothing_is_left(ground));
	assert_true(world_has(ground->world, "run/stint/i/" OTHER));
	assert_true(world_has(ground->world, "var/lib/stint/i/" OTHER "/log"));
	prepared_deinit(&others);
	assert_succeeds(steps_undo(&ground->site, &other, &err), &err);
}

/* A failure at each step. What is in the way is not the start's own and goes with the undo too. */

static void block_run(struct ground *ground)
{
	world_file(ground->world, RUN, "", 0600);
}

static void block_state(struct ground *ground)
{
	world_file(ground->world, STATE, "", 0600);
}

static void lose_install(struct ground *ground)
{
	strv_add(&ground->record.layers, "/no/such/install");
}

static const struct {
	void (*spoil)(struct ground *ground);
	int code;
	const char *step, *object;
} failures[] = {
	{block_run, -EEXIST, "run directory: ", "/" RUN "'"},
	{block_state, -EEXIST, "state directory: ", "/" STATE "'"},
	{lose_install, -ENOENT, "disk: ", "layer of '/no/such/install'"},
};

static void steps_prepare_fails_at_each_step(void **state)
{
	struct ground *ground = *state;

	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		struct prepared prepared;
		struct error err;
		int r;

		failures[i].spoil(ground);
		r = steps_prepare(&ground->site, &ground->record, &prepared, &err);
		assert_fails(r, failures[i].code, &err, failures[i].step);
		assert_fails(r, failures[i].code, &err, failures[i].object);
		prepared_deinit(&prepared);
		for (int k = 0; k < 2; k++) {
			assert_succeeds(undo(ground, &err), &err);
			assert_true(nothing_is_left(ground));
		}
	}
}

/* Covers a hierarchy of the host, in this child only, with a directory that has no groups. */
static void fail_at_the_groups(const void *arg)
{
	struct ground again = ground_again(arg), *ground = &again;
	struct error err = {0};
	struct prepared prepared;
	struct cgroup_tree tree;
	int r;

	must_succeed(cgroup_tree_discover(&tree, &err), &err);
	must(tree.n > 0);
	must(mount("tmpfs", tree.list[tree.n - 1].mount, "tmpfs", 0, NULL) == 0);
	r = steps_prepare(&ground->site, &ground->record, &prepared, &err);
	must_fail(r, &err, "control groups: cannot make control group");
	must_fail(r, &err, tree.list[tree.n - 1].mount);
	prepared_deinit(&prepared);
	must(world_has(ground->world, RUN) && world_has(ground->world, STATE));
	for (int i = 0; i < 2; i++) {
		must_succeed(undo(ground, &err), &err);
		must(nothing_is_left(ground));
	}
	cgroup_tree_deinit(&tree);
}

static void steps_prepare_fails_at_the_groups(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNS, fail_at_the_groups, *state);
}

/* One step that cannot be undone does not keep the others from it, and is the one that is told. */
static void fail_to_undo(const void *arg)
{
	struct ground again = ground_again(arg), *ground = &again;
	cleanup_free char *busy = world_path(ground->world, STATE "/layer/0/upper");
	struct prepared prepared;
	struct error err = {0};
	int r;

	must_succeed(steps_prepare(&ground->site, &ground->record, &prepared, &err), &err);
	prepared_deinit(&prepared);
	must(mount("tmpfs", busy, "tmpfs", 0, NULL) == 0);
	r = undo(ground, &err);
	must_fail(r, &err, "/" STATE "'");
	must(!world_has(ground->world, RUN) && count_groups(ground) == 0);
	must(umount(busy) == 0);
	must_succeed(undo(ground, &err), &err);
	must(nothing_is_left(ground));
}

static void steps_undo_goes_on_after_a_failure(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNS, fail_to_undo, *state);
}

static void wait_in_group(const void *arg)
{
	const int *fds = arg;
	struct error err;

	must_succeed(cgroup_join(fds + 2, (size_t)fds[1], &err), &err);
	say(fds[0]);
	wait_forever(NULL);
}

/* The groups are undone first: nothing writes any more into what is removed then. */
static void steps_undo_ends_what_runs(void **state)
{
	struct ground *ground = *state;
	int ready[2], fds[2 + CGROUP_HIERARCHIES_MAX], status;
	struct prepared prepared;
	struct error err;
	pid_t pid;

	need_root();
	assert_succeeds(steps_prepare(&ground->site, &ground->record, &prepared, &err), &err);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	fds[0] = ready[1];
	fds[1] = (int)prepared.groups.n_server;
	memcpy(fds + 2, prepared.groups.server, sizeof(prepared.groups.server));
	pid = start_child(wait_in_group, fds);
	hear(ready[0]);
	prepared_deinit(&prepared);
	assert_succeeds(undo(ground, &err), &err);
	status = wait_status(pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_true(nothing_is_left(ground));
	close(ready[0]);
	close(ready[1]);
}

static void site_open_makes_closed_places(void **state)
{
	static const char *const places[] = {"var/lib/stint", "var/lib/stint/i", "run/stint",
					     "run/stint/i", "run/stint/lock"};
	struct ground *ground = *state;
	struct site again;
	struct error err;

	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		assert_mode(ground, places[i], 0700, 0);
	/* a place that somebody opened is closed again */
	world_directory(ground->world, "var/lib/stint", 0755);
	assert_succeeds(site_open(&again, &err), &err);
	assert_mode(ground, "var/lib/stint", 0700, 0);
	assert_string_equal(again.cgroup, ground->site.cgroup);
	assert_string_not_equal(again.cgroup, "stint");
	site_close(&again);
	site_close(&again);
}

static void site_open_where_a_file_is(void **state)
{
	struct ground *ground = *state;
	cleanup_free char *root = world_path(ground->world, "app/bin/server");
	struct site site;
	struct error err;
	int r;

	need_root();
	setenv("STINT_ROOT", root, 1);
	r = site_open(&site, &err);
	setenv("STINT_ROOT", ground->world->path, 1);
	assert_fails(r, -ENOTDIR, &err, root);
	site_close(&site);
}

static void site_locate_refuses_a_relative_root(void **state)
{
	struct ground *ground = *state;
	struct site site;
	struct error err;
	int r;

	need_root();
	setenv("STINT_ROOT", "relative/root", 1);
	r = site_locate(&site, &err);
	setenv("STINT_ROOT", ground->world->path, 1);
	assert_fails(r, -EINVAL, &err, "'relative/root'");
	site_close(&site);
}

static void site_open_state_of_what_is_there(void **state)
{
	struct ground *ground = *state;
	struct prepared prepared;
	struct error err;

	need_root();
	assert_int_equal(site_open_state_of(&ground->site, ID), -ENOENT);
	assert_int_equal(site_open_run_of(&ground->site, ID), -ENOENT);
	assert_succeeds(steps_prepare(&ground->site, &ground->record, &prepared, &err), &err);
	prepared_deinit(&prepared);
	assert_int_equal(close(site_open_state_of(&ground->site, ID)), 0);
	assert_int_equal(close(site_open_run_of(&ground->site, ID)), 0);
}

#define with_ground(test) cmocka_unit_test_setup_teardown(test, ground_setup, ground_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_ground(steps_prepare_makes_everything),
		with_ground(steps_prepare_copies_owner_and_mode),
		with_ground(steps_undo_twice),
		with_ground(steps_undo_of_an_empty_record),
		with_ground(steps_undo_of_each_part_alone),
		with_ground(steps_undo_of_groups_alone),
		with_ground(steps_undo_removes_what_the_inside_left),
		with_ground(steps_undo_spares_other_instances),
		with_ground(steps_prepare_fails_at_each_step),
		with_ground(steps_prepare_fails_at_the_groups),
		with_ground(steps_undo_goes_on_after_a_failure),
		with_ground(steps_undo_ends_what_runs),
		with_ground(site_open_makes_closed_places),
		with_ground(site_open_where_a_file_is),
		with_ground(site_locate_refuses_a_relative_root),
		with_ground(site_open_state_of_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
