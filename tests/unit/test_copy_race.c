/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/instance/copy against a tenant that changes its files all the time: what lies outside of
 * its root is never read and never written. Bounded by rounds and by time.
 */
#include "copy_rig.h"
#include "base/clock.h"
#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ROUNDS 2000
#define BOUND_NS (2 * NSEC_PER_SEC)

/* "secret/f" is the host's; the tenant has "d/f" and a link to the secret's directory, "l". */
static void make_scene(const struct world *world)
{
	cleanup_free char *script =
		xasprintf("mkdir -p secret inside/t/d; echo secret > secret/f; echo own > "
			  "inside/t/d/f; ln -s %s/secret inside/t/l; echo new > host/f",
			  world->path);

	shell(world, script);
}

/* Exchanges the two names in the directory until it is killed. */
static pid_t start_swapping(const struct world *world, const char *a, const char *b)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child != 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		syscall(SYS_renameat2, world->top, a, world->top, b, RENAME_EXCHANGE);
}

static void stop(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

struct rounds {
	int64_t until;
	int left;
};

static bool next_round(struct rounds *rounds)
{
	if (rounds->left == 0)
		*rounds = (struct rounds){.until = clock_boottime_ns() + BOUND_NS, .left = ROUNDS};
	return --rounds->left > 0 && clock_boottime_ns() < rounds->until;
}

static void expect_no_secret(const struct world *world)
{
	expect_output(world, "grep -rl secret host inside; ls -A secret; cat secret/f",
		      "f\nsecret");
}

static void directory_on_the_way_out(void **state)
{
	struct world *world = *state;
	struct rounds rounds = {0};
	pid_t child;

	make_scene(world);
	child = start_swapping(world, "inside/t/d", "inside/t/l");
	while (next_round(&rounds)) {
		cleanup_free char *got = NULL;

		if (copy_out(world, "/t/d/f", "got") < 0)
			continue;
		assert_int_equal(file_read(AT_FDCWD, "got", 64, &got, NULL), 0);
		assert_string_equal(got, "own\n");
	}
	stop(child);
	expect_no_secret(world);
}

static void directory_of_a_tree_on_the_way_out(void **state)
{
	struct world *world = *state;
	struct rounds rounds = {0};
	pid_t child;

	make_scene(world);
	child = start_swapping(world, "inside/t/d", "inside/t/l");
	while (next_round(&rounds)) {
		char name[32];

		snprintf(name, sizeof(name), "got%d", rounds.left);
		copy_out(world, "/t", name);
	}
	stop(child);
	expect_no_secret(world);
}

static void directory_on_the_way_in(void **state)
{
	struct world *world = *state;
	struct rounds rounds = {0};
	pid_t child;

	make_scene(world);
	child = start_swapping(world, "inside/t/d", "inside/t/l");
	while (next_round(&rounds))
		copy_in(world, "f", "/t/d/in");
	stop(child);
	expect_no_secret(world);
}

static void directory_of_a_tree_on_the_way_in(void **state)
{
	struct world *world = *state;
	struct rounds rounds = {0};
	pid_t child;

	make_scene(world);
	shell(world, "mkdir -p host/t/d; echo in > host/t/d/in");
	child = start_swapping(world, "inside/t/d", "inside/t/l");
	while (next_round(&rounds))
		copy_in(world, "t", "/");
	stop(child);
	expect_no_secret(world);
}

/* A file that becomes a FIFO between the look and the opening would block for ever. */
static void file_that_becomes_a_fifo(void **state)
{
	struct world *world = *state;
	struct rounds rounds = {0};
	pid_t child;

	make_scene(world);
	shell(world, "mkfifo inside/t/fifo; echo own > inside/t/f");
	child = start_swapping(world, "inside/t/f", "inside/t/fifo");
	while (next_round(&rounds))
		copy_out(world, "/t/f", "got");
	stop(child);
	expect_output(world, "cat host/got", "own");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(directory_on_the_way_out), test(directory_of_a_tree_on_the_way_out),
		test(directory_on_the_way_in),	test(directory_of_a_tree_on_the_way_in),
		test(file_that_becomes_a_fifo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
