/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/loop: what a handler may do to other sources of its batch. */
#include "keeper/loop.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define PAIRS 3

struct watched {
	struct loop *loop;
	struct source *sources[PAIRS];
	int ends[PAIRS];
	int calls;
	uint32_t events;
};

static int watched_setup(void **state)
{
	struct watched *w = xcalloc(1, sizeof(*w));

	w->loop = xcalloc(1, sizeof(*w->loop));
	*state = w;
	return loop_init(w->loop);
}

static int watched_teardown(void **state)
{
	struct watched *w = *state;

	for (int i = 0; i < PAIRS; i++) {
		loop_close(w->loop, &w->sources[i]);
		if (w->ends[i] > 0)
			close(w->ends[i]);
	}
	loop_deinit(w->loop);
	loop_deinit(w->loop);
	free(w->loop);
	free(w);
	return 0;
}

static void watch(struct watched *w, int i, uint32_t events, loop_handler *handler)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	w->ends[i] = fds[1];
	assert_int_equal(loop_add(w->loop, fds[0], events, handler, w, &w->sources[i]), 0);
}

static void count(void *arg, uint32_t events)
{
	struct watched *w = arg;

	w->calls++;
	w->events = events;
}

static void remove_all(void *arg, uint32_t events)
{
	struct watched *w = arg;

	count(arg, events);
	for (int i = 0; i < PAIRS; i++)
		loop_close(w->loop, &w->sources[i]);
}

/* Takes the descriptors' numbers for new sources at once: stale events must not reach those. */
static void replace_all(void *arg, uint32_t events)
{
	struct watched *w = arg;

	remove_all(arg, events);
	for (int i = 0; i < PAIRS; i++) {
		close(w->ends[i]);
		watch(w, i, EPOLLIN, count);
	}
}

static void ring_all(struct watched *w)
{
	for (int i = 0; i < PAIRS; i++)
		assert_int_equal(write(w->ends[i], "x", 1), 1);
}

static void loop_run_once_times_out(void **state)
{
	struct watched *w = *state;

	watch(w, 0, EPOLLIN, count);
	assert_int_equal(loop_run_once(w->loop, 0), 0);
	assert_int_equal(loop_run_once(w->loop, 1), 0);
	assert_int_equal(w->calls, 0);
}

static void loop_run_once_calls_each_handler(void **state)
{
	struct watched *w = *state;

	for (int i = 0; i < PAIRS; i++)
		watch(w, i, EPOLLIN, count);
	ring_all(w);
	assert_int_equal(loop_run_once(w->loop, -1), PAIRS);
	assert_int_equal(w->calls, PAIRS);
	assert_int_equal(w->events, EPOLLIN);
}

static void loop_remove_by_a_handler_silences_the_batch(void **state)
{
	struct watched *w = *state;

	for (int i = 0; i < PAIRS; i++)
		watch(w, i, EPOLLIN, remove_all);
	ring_all(w);
	assert_int_equal(loop_run_once(w->loop, -1), PAIRS);
	assert_int_equal(w->calls, 1);
}

static void loop_add_by_a_handler_gets_no_stale_event(void **state)
{
	struct watched *w = *state;

	for (int i = 0; i < PAIRS; i++)
		watch(w, i, EPOLLIN, replace_all);
	ring_all(w);
	assert_int_equal(loop_run_once(w->loop, -1), PAIRS);
	assert_int_equal(w->calls, 1);
	assert_int_equal(loop_run_once(w->loop, 0), 0);
	ring_all(w);
	assert_int_equal(loop_run_once(w->loop, 0), PAIRS);
}

static void loop_change_to_nothing_hears_no_hangup(void **state)
{
	struct watched *w = *state;

	watch(w, 0, 0, count);
	close(w->ends[0]);
	w->ends[0] = -1;
	assert_int_equal(loop_run_once(w->loop, 0), 0);
	assert_int_equal(loop_change(w->loop, w->sources[0], EPOLLERR), 0);
	assert_int_equal(loop_run_once(w->loop, 0), 1);
	assert_int_equal(w->events, EPOLLHUP);
	assert_int_equal(loop_change(w->loop, w->sources[0], 0), 0);
	assert_int_equal(loop_run_once(w->loop, 0), 0);
}

static void loop_add_refuses_regular_files(void **state)
{
	cleanup_fd int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct source *untouched = NULL;
	struct watched *w = *state;

	assert_true(fd >= 0);
	assert_int_equal(loop_add(w->loop, fd, EPOLLIN, count, w, &untouched), -EPERM);
	assert_null(untouched);
}

static void loop_remove_takes_nothing(void **state)
{
	struct source *none = NULL;
	struct watched *w = *state;

	loop_remove(w->loop, NULL);
	loop_close(w->loop, &none);
}

#define with_loop(test) cmocka_unit_test_setup_teardown(test, watched_setup, watched_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_loop(loop_run_once_times_out),
		with_loop(loop_run_once_calls_each_handler),
		with_loop(loop_remove_by_a_handler_silences_the_batch),
		with_loop(loop_add_by_a_handler_gets_no_stale_event),
		with_loop(loop_change_to_nothing_hears_no_hangup),
		with_loop(loop_add_refuses_regular_files),
		with_loop(loop_remove_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
