/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/keeper/memory: files with what the kernel writes into those of a control group. That it
 * does write them, and when, is a matter of tests/system/limits.bats.
 */
#include "world.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "keeper/memory.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#define LIMIT (64ULL << 20)
#define OWN "out of memory (limit 64 MiB)"
#define OTHER "the kernel killed it: too little memory for all instances"

static int open_with(const struct world *w, const char *name, const char *content)
{
	world_file(w, name, content, 0644);
	return openat(w->dir, name, O_RDONLY | O_CLOEXEC);
}

static void close_watch(struct memory_watch *watch)
{
	close(watch->event);
	close(watch->count);
	close(watch->hits);
}

struct kill_case {
	int version;
	const char *count, *hits;
	uint64_t limit;
	bool killed;
	const char *reason;
};

static const struct kill_case cases[] = {
	{1, "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", "67108864\n", LIMIT, false, NULL},
	{1, "oom_kill_disable 0\nunder_oom 1\noom_kill 1\n", "67108864\n", LIMIT, true, OWN},
	{1, "oom_kill_disable 0\nunder_oom 0\noom_kill 12\n", "67100672\n", LIMIT, true, OWN},
	{1, "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", "50000000\n", LIMIT, true, OTHER},
	{1, "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", "67108864\n", 0, true, OTHER},
	/* a kernel that does not count */
	{1, "oom_kill_disable 0\nunder_oom 1\n", "67108864\n", LIMIT, false, NULL},
	{1, "", "", LIMIT, false, NULL},
	{2, "low 0\nhigh 0\nmax 7\noom 0\noom_kill 0\noom_group_kill 0\n", NULL, LIMIT, false,
	 NULL},
	{2, "low 0\nhigh 0\nmax 7\noom 1\noom_kill 2\noom_group_kill 1\n", NULL, LIMIT, true, OWN},
	{2, "low 0\nhigh 0\nmax 7\noom 0\noom_kill 2\noom_group_kill 1\n", NULL, LIMIT, true,
	 OTHER},
	{2, "oom_group_kill 1\n", NULL, LIMIT, false, NULL},
	{0, "oom_kill 5\n", "", LIMIT, false, NULL},
};

static void assert_case(const struct world *w, const struct kill_case *c)
{
	struct memory_watch watch = {
		.version = c->version,
		.event = open_with(w, "count", c->count),
		.count = open_with(w, "count", c->count),
		.hits = c->hits ? open_with(w, "hits", c->hits) : open_with(w, "count", c->count),
		.limit = c->limit,
	};
	char reason[160];

	if (memory_watch_killed(&watch) != c->killed)
		print_error("version %d: %s\n", c->version, c->count);
	assert_int_equal(memory_watch_killed(&watch), c->killed);
	if (c->killed) {
		memory_watch_reason(&watch, reason, sizeof(reason));
		assert_string_equal(reason, c->reason);
	}
	close_watch(&watch);
}

static void memory_watch_killed_in_either_version(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_case(*state, &cases[i]);
}

/* The counter is read each time anew. */
static void memory_watch_killed_when_the_counter_moves(void **state)
{
	struct world *w = *state;
	struct memory_watch watch = {.version = 2, .limit = LIMIT};

	watch.event = open_with(w, "count", "oom 0\noom_kill 0\n");
	watch.count = dup(watch.event);
	watch.hits = dup(watch.event);
	assert_false(memory_watch_killed(&watch));
	world_file(w, "count", "oom 1\noom_kill 1\n", 0644);
	assert_true(memory_watch_killed(&watch));
	close_watch(&watch);
}

/* Version 1 says so before anything was killed: for a while it is looked at again. */
static void memory_watch_take_looks_again_in_version_1(void **state)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct memory_watch watch = {.version = 1, .event = event, .count = -1, .hits = -1};
	int64_t now = clock_boottime_ns();

	(void)state;
	assert_int_equal(memory_watch_events(&watch), POLLIN);
	memory_watch_take(&watch);
	assert_true(memory_watch_next(&watch, now) == INT64_MAX);
	assert_int_equal(eventfd_write(event, 1), 0);
	memory_watch_take(&watch);
	assert_true(memory_watch_next(&watch, now) > now);
	assert_true(memory_watch_next(&watch, now) <= now + NSEC_PER_SEC);
	assert_true(memory_watch_next(&watch, now + 60 * NSEC_PER_SEC) == INT64_MAX);
	close(event);
}

static void memory_watch_of_nothing(void **state)
{
	struct memory_watch watch = {.event = -1, .count = -1, .hits = -1};

	(void)state;
	memory_watch_take(&watch);
	assert_false(memory_watch_killed(&watch));
	assert_true(memory_watch_next(&watch, 1) == INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(memory_watch_killed_in_either_version),
		with_world(memory_watch_killed_when_the_counter_moves),
		with_world(memory_watch_take_looks_again_in_version_1),
		with_world(memory_watch_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
