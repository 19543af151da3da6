/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/lock: who lives, who may end whom, and what of those who come too late. */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "instance/lock.h"
#include "keeper/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#define ID "0123abcd"
#define LONG_NS (60 * NSEC_PER_SEC)
#define SHORT_NS (20 * NSEC_PER_MSEC)

struct ground {
	struct world *world;
	struct site site;
};

static int ground_setup(void **state)
{
	struct ground *ground = xcalloc(1, sizeof(*ground));

	if (world_setup((void **)&ground->world))
		return -1;
	world_directory(ground->world, "lock", 0700);
	ground->site = (struct site){.run_path = ground->world->path, .run = ground->world->dir};
	*state = ground;
	return 0;
}

static int ground_teardown(void **state)
{
	struct ground *ground = *state;
	int r = world_teardown((void **)&ground->world);

	free(ground);
	return r;
}

static int create(const struct ground *ground)
{
	struct error err;
	int fd = instance_lock_create(&ground->site, ID, &err);

	assert_succeeds(fd, &err);
	return fd;
}

static int take_for_end(const struct ground *ground)
{
	struct error err;
	int fd = instance_lock_for_end(&ground->site, ID, SHORT_NS, &err);

	assert_succeeds(fd, &err);
	return fd;
}

static void instance_lock_create_appears_locked(void **state)
{
	const struct ground *ground = *state;
	cleanup_fd int fd = create(ground);
	struct stat st;

	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstatat(ground->site.run, "lock/" ID, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(instance_is_alive(&ground->site, ID));
}

static void instance_lock_create_of_an_existing_one(void **state)
{
	const struct ground *ground = *state;
	cleanup_fd int fd = create(ground);
	struct error err;

	assert_fails(instance_lock_create(&ground->site, ID, &err), -EEXIST, &err, "lock/" ID);
	/* also when nobody holds it: its instance is still to be undone */
	cleanup_close(&fd);
	assert_fails(instance_lock_create(&ground->site, ID, &err), -EEXIST, &err, "lock/" ID);
	assert_false(instance_is_alive(&ground->site, ID));
}

static void instance_lock_create_without_a_place(void **state)
{
	const struct ground *ground = *state;
	struct error err;

	assert_int_equal(unlinkat(ground->site.run, "lock", AT_REMOVEDIR), 0);
	assert_fails(instance_lock_create(&ground->site, ID, &err), -ENOENT, &err, "/lock'");
}

static void instance_is_alive_until_the_last_copy_is_closed(void **state)
{
	const struct ground *ground = *state;
	int fd = create(ground), copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	close(fd);
	assert_true(instance_is_alive(&ground->site, ID));
	close(copy);
	assert_false(instance_is_alive(&ground->site, ID));
}

static void instance_is_alive_of_nothing(void **state)
{
	const struct ground *ground = *state;

	assert_false(instance_is_alive(&ground->site, ID));
	assert_false(instance_is_alive(&ground->site, ""));
}

static void instance_is_alive_follows_no_link(void **state)
{
	const struct ground *ground = *state;
	cleanup_fd int fd = create(ground);

	world_link(ground->world, ID, "lock/link");
	assert_true(fd >= 0);
	assert_false(instance_is_alive(&ground->site, "link"));
}

static void instance_lock_for_end_takes_both(void **state)
{
	const struct ground *ground = *state;
	cleanup_fd int ending = -1, other = -1;

	close(create(ground));
	ending = take_for_end(ground);
	other = openat(ground->site.run, "lock/" ID, O_RDWR | O_CLOEXEC);
	assert_true(lock_is_held(other, LOCK_ALIVE));
	assert_true(lock_is_held(other, LOCK_END));
	assert_int_equal(fcntl(ending, F_GETFD), FD_CLOEXEC);
}

static void instance_lock_for_end_while_the_keeper_lives(void **state)
{
	const struct ground *ground = *state;
	cleanup_fd int keeper = create(ground);
	struct error err;

	assert_fails(instance_lock_for_end(&ground->site, ID, SHORT_NS, &err), -EBUSY, &err, ID);
	assert_fails(instance_lock_for_end(&ground->site, ID, 0, &err), -EBUSY, &err, ID);
	/* whoever gave up holds nothing */
	cleanup_close(&keeper);
	close(take_for_end(ground));
}

static void instance_lock_for_end_excludes_a_second(void **state)
{
	const struct ground *ground = *state;
	cleanup_fd int first = -1;
	struct error err;

	close(create(ground));
	first = take_for_end(ground);
	assert_true(first >= 0);
	assert_fails(instance_lock_for_end(&ground->site, ID, SHORT_NS, &err), -EBUSY, &err, ID);
}

/* After a restart of the host there is a record and no lock. */
static void instance_lock_for_end_without_a_file(void **state)
{
	const struct ground *ground = *state;
	cleanup_fd int ending = take_for_end(ground);

	assert_true(ending >= 0);
	assert_true(world_has(ground->world, "lock/" ID));
	assert_true(instance_is_alive(&ground->site, ID));
}

/* Waits until the child has the lock file open, without the help of the code under test. */
static void wait_for_open(pid_t pid, const char *path)
{
	cleanup_free char *fds = xasprintf("/proc/%d/fd", pid);

	for (int i = 0; i < WORLD_BOUND_MS * 10; i++) {
		cleanup_dir DIR *dir = opendir(fds);
		struct dirent *entry;

		while (dir && (entry = readdir(dir))) {
			char seen[256] = "";

			if (readlinkat(dirfd(dir), entry->d_name, seen, sizeof(seen) - 1) > 0 &&
			    strcmp(seen, path) == 0)
				return;
		}
		sched_yield();
	}
	assert_true(false);
}

static void come_too_late(const void *arg)
{
	const struct ground *ground = arg;
	struct error err = {0};

	must_fail(instance_lock_for_end(&ground->site, ID, LONG_NS, &err), &err, "ended meanwhile");
	must(err.code == -ENOENT);
}

/*
 * Two commands end an instance at once: the second has the file open and waits for the first,
 * and finds then that there is nothing left to do.
 */
static void instance_lock_for_end_of_one_ended_meanwhile(void **state)
{
	const struct ground *ground = *state;
	cleanup_free char *path = world_path(ground->world, "lock/" ID);
	int keeper = create(ground), status;
	pid_t second = fork();

	if (second == 0) {
		close(keeper); /* a copy would keep the keeper's lock */
		alarm(WORLD_BOUND_MS / 1000);
		come_too_late(ground);
		_exit(0);
	}
	wait_for_open(second, path);
	/* the first has the file too, and is done */
	instance_lock_remove(&ground->site, ID);
	close(keeper);
	status = wait_status(second);
	assert_int_equal(status, 0);
}

static void instance_lock_remove_twice(void **state)
{
	const struct ground *ground = *state;

	close(create(ground));
	for (int i = 0; i < 2; i++) {
		instance_lock_remove(&ground->site, ID);
		assert_false(world_has(ground->world, "lock/" ID));
		assert_false(instance_is_alive(&ground->site, ID));
	}
	close(create(ground));
}

static int open_turns(const struct ground *ground)
{
	int fd = openat(ground->world->dir, TURN_FILE, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void turn_take_until_all_are_taken(void **state)
{
	int first = open_turns(*state), second = open_turns(*state), third = open_turns(*state);

	assert_true(turn_take(first));
	assert_true(turn_take(second));
	assert_false(turn_take(third));
	turn_leave(first);
	assert_true(turn_take(third));
	assert_false(turn_take(first));
	close(second);
	assert_true(turn_take(first));
	close(first);
	close(third);
}

/* A keeper has it when it turns into the program that undoes the instance. */
static void turn_take_outlives_a_copy_of_the_descriptor(void **state)
{
	int first = open_turns(*state), second = open_turns(*state), third = open_turns(*state);
	int copy = dup(first);

	assert_true(turn_take(first));
	assert_true(turn_take(second));
	close(first);
	assert_false(turn_take(third));
	close(copy);
	assert_true(turn_take(third));
	close(second);
	close(third);
}

#define with_ground(test) cmocka_unit_test_setup_teardown(test, ground_setup, ground_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_ground(instance_lock_create_appears_locked),
		with_ground(instance_lock_create_of_an_existing_one),
		with_ground(instance_lock_create_without_a_place),
		with_ground(instance_is_alive_until_the_last_copy_is_closed),
		with_ground(instance_is_alive_of_nothing),
		with_ground(instance_is_alive_follows_no_link),
		with_ground(instance_lock_for_end_takes_both),
		with_ground(instance_lock_for_end_while_the_keeper_lives),
		with_ground(instance_lock_for_end_excludes_a_second),
		with_ground(instance_lock_for_end_without_a_file),
		with_ground(instance_lock_for_end_of_one_ended_meanwhile),
		with_ground(instance_lock_remove_twice),
		with_ground(turn_take_until_all_are_taken),
		with_ground(turn_take_outlives_a_copy_of_the_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
