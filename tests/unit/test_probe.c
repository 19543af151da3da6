/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/probe and dial: servers of every kind, and time as the test wants it. */
#include "keeper/probe.h"
#include "rig.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define INTERVAL_NS (100 * NSEC_PER_MSEC)
#define START_NS (1000 * NSEC_PER_SEC)

struct world {
	struct loop loop;
	struct plan_ready ready;
	struct probe probe;
	int server;
	int64_t now;
};

static int world_setup(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	world->server = listen_anywhere(true);
	world->now = START_NS;
	world->ready = (struct plan_ready){
		.kind = READY_HTTP,
		.checks = {{.kind = READY_HTTP,
			    .port = port_of(world->server),
			    .path = "/",
			    .status_from = 200,
			    .status_to = 299}},
		.n_checks = 1,
		.interval_ns = INTERVAL_NS,
	};
	*state = world;
	return loop_init(&world->loop);
}

static int world_teardown(void **state)
{
	struct world *world = *state;

	probe_deinit(&world->probe);
	loop_deinit(&world->loop);
	cleanup_close(&world->server);
	free(world);
	return 0;
}

static void begin(struct world *world)
{
	probe_init(&world->probe, &world->loop, &world->ready);
	for (size_t i = 0; i < world->ready.n_checks; i++)
		probe_add(&world->probe, &world->ready.checks[i], INADDR_LOOPBACK, false);
	probe_begin(&world->probe, world->now);
}

/* Lets the time come for the next attempt and returns the server's end of it. */
static int next_attempt(struct world *world)
{
	int fd;

	world->now += INTERVAL_NS;
	probe_step(&world->probe, world->now);
	assert_non_null(world->probe.source);
	wait_for(world->server, POLLIN);
	fd = accept4(world->server, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void run_until_attempt_ends(struct world *world)
{
	while (world->probe.source)
		assert_true(loop_run_once(&world->loop, RIG_BOUND_MS) > 0);
}

/* One attempt with that answer; whether it made the server ready. */
static bool attempt(struct world *world, const char *answer)
{
	int fd = next_attempt(world);

	send_all(fd, answer);
	shutdown(fd, SHUT_WR);
	run_until_attempt_ends(world);
	close(fd);
	return world->probe.succeeded;
}

static void probe_asks_until_the_status_is_good(void **state)
{
	struct world *world = *state;

	begin(world);
	assert_false(attempt(world, "HTTP/1.1 503 Service Unavailable\r\n\r\n"));
	assert_false(attempt(world, "HTTP/1.1 404 Not Found\r\n\r\n"));
	assert_true(attempt(world, "HTTP/1.0 200 OK\r\n\r\nbody"));
	assert_int_equal(probe_step(&world->probe, world->now + NSEC_PER_SEC), PROBE_NEVER);
}

/* In one go, and from the beginning each time. */
static void probe_takes_the_first_that_the_server_has(void **state)
{
	struct world *world = *state;

	world->ready.checks[1] = world->ready.checks[2] = world->ready.checks[0];
	world->ready.checks[1].path = "/ping";
	world->ready.checks[2].kind = READY_TCP;
	world->ready.n_checks = 3;
	begin(world);
	/* it has the first, which counts */
	assert_false(attempt(world, "HTTP/1.1 503 Service Unavailable\r\n\r\n"));
	assert_ptr_equal(world->probe.check, &world->probe.checks[0]);
	assert_false(attempt(world, "HTTP/1.1 404 Not Found\r\n\r\n"));
	assert_ptr_equal(world->probe.check, &world->probe.checks[1]);
	assert_true(probe_step(&world->probe, world->now) > world->now);
	assert_non_null(world->probe.source);
	close(accept(world->server, NULL, NULL));
	run_until_attempt_ends(world);
	assert_ptr_equal(world->probe.check, &world->probe.checks[0]);
	assert_false(attempt(world, "HTTP/1.1 401 Unauthorized\r\n\r\n"));
	assert_false(attempt(world, "HTTP/1.1 403 Forbidden\r\n\r\n"));
	assert_ptr_equal(world->probe.check, &world->probe.checks[2]);
	close(next_attempt(world));
	run_until_attempt_ends(world);
	assert_true(world->probe.succeeded);
}

static void probe_accepts_the_range_only(void **state)
{
	static const struct {
		const char *answer;
		bool ready;
	} cases[] = {
		{"HTTP/1.1 199 x\r\n", false}, {"HTTP/1.1 200 x\r\n", true},
		{"HTTP/1.1 404 x\r\n", true},  {"HTTP/1.1 405 x\r\n", false},
		{"HTTP/1.1 302\r\n", true},    {"HTTP/1.1 302\n", true},
	};
	struct world *world = *state;

	world->ready.checks[0].status_to = 404;
	begin(world);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(attempt(world, cases[i].answer), cases[i].ready);
		probe_begin(&world->probe, world->now);
	}
}

static void probe_survives_garbage(void **state)
{
	static const char *const answers[] = {
		"",
		"HTTP/1.1 200", /* no end of the status */
		"HTTP/1.1 2000 OK\r\n",
		"HTTP/2.0 200 OK\r\n",
		"HTTP/1.1  200 OK\r\n",
		"http/1.1 200 OK\r\n",
		"SSH-2.0-OpenSSH_9.2\r\n",
		"\x15\x03\x01\x00\x02\x02\x50",
		"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n",
	};
	struct world *world = *state;
	struct text flood = {0};

	begin(world);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		assert_false(attempt(world, answers[i]));
	for (int i = 0; i < 1000; i++)
		text_add(&flood, "no server would say this ");
	assert_false(attempt(world, flood.data));
	text_deinit(&flood);
	assert_true(attempt(world, "HTTP/1.1 204 No Content\r\n\r\n"));
}

static void probe_gives_up_a_server_that_never_answers(void **state)
{
	struct world *world = *state;
	int64_t due;
	int first, second;

	begin(world);
	first = next_attempt(world);
	due = probe_step(&world->probe, world->now);
	assert_int_equal(due, world->now + NSEC_PER_SEC);
	assert_int_equal(probe_step(&world->probe, due - 1), due);
	/* the connection is made, the request sent, and nothing comes */
	while (!world->probe.asked)
		assert_true(loop_run_once(&world->loop, RIG_BOUND_MS) > 0);
	assert_int_equal(loop_run_once(&world->loop, 0), 0);
	assert_true(probe_step(&world->probe, due) > due);
	wait_for(first, POLLRDHUP);
	world->now = due;
	second = accept4(world->server, NULL, NULL, SOCK_CLOEXEC);
	assert_true(second >= 0);
	send_all(second, "HTTP/1.1 200 OK\r\n\r\n");
	run_until_attempt_ends(world);
	assert_true(world->probe.succeeded);
	close(first);
	close(second);
}

static void probe_reads_an_answer_that_drips(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n";
	struct world *world = *state;
	int fd;

	begin(world);
	fd = next_attempt(world);
	while (!world->probe.asked)
		assert_true(loop_run_once(&world->loop, RIG_BOUND_MS) > 0);
	for (int i = 0; i < 13; i++) {
		assert_false(world->probe.succeeded);
		assert_int_equal(write(fd, answer + i, 1), 1);
		assert_int_equal(loop_run_once(&world->loop, RIG_BOUND_MS), 1);
	}
	assert_true(world->probe.succeeded);
	close(fd);
}

static void probe_bounds_a_drip_that_never_ends(void **state)
{
	struct world *world = *state;
	int64_t due;
	int fd;

	begin(world);
	fd = next_attempt(world);
	send_all(fd, "HTTP/");
	while (world->probe.head_length < 5)
		assert_true(loop_run_once(&world->loop, RIG_BOUND_MS) > 0);
	due = probe_step(&world->probe, world->now + NSEC_PER_SEC - 1);
	assert_int_equal(due, world->now + NSEC_PER_SEC);
	probe_step(&world->probe, due);
	assert_int_equal(world->probe.head_length, 0);
	close(fd);
}

static void probe_survives_resets(void **state)
{
	struct world *world = *state;

	begin(world);
	for (int i = 0; i < 3; i++) {
		close_hard(next_attempt(world));
		run_until_attempt_ends(world);
		assert_false(world->probe.succeeded);
	}
	assert_true(attempt(world, "HTTP/1.1 200 OK\r\n\r\n"));
}

static void probe_waits_between_attempts_that_are_refused(void **state)
{
	struct world *world = *state;
	int64_t due = world->now;
	int64_t last;

	cleanup_close(&world->server);
	begin(world);
	for (int i = 0; i < 200; i++) {
		last = due;
		probe_step(&world->probe, last);
		run_until_attempt_ends(world);
		due = probe_step(&world->probe, last);
		assert_false(world->probe.succeeded);
		assert_true(due - last >= 10 * NSEC_PER_MSEC);
		assert_true(due - last <= INTERVAL_NS);
	}
	assert_int_equal(due - last, INTERVAL_NS);
}

static void probe_of_tcp_only_connects(void **state)
{
	struct world *world = *state;
	int fd;

	world->ready.checks[0].kind = READY_TCP;
	begin(world);
	fd = next_attempt(world);
	run_until_attempt_ends(world);
	assert_true(world->probe.succeeded);
	expect_end(fd);
	close(fd);
}

static void probe_stop_forgets_the_attempt(void **state)
{
	struct world *world = *state;
	int fd;

	begin(world);
	fd = next_attempt(world);
	send_all(fd, "HTTP/1.1 200 OK\r\n\r\n");
	probe_stop(&world->probe);
	assert_int_equal(loop_run_once(&world->loop, 0), 0);
	assert_false(world->probe.succeeded);
	assert_int_equal(probe_step(&world->probe, world->now), PROBE_NEVER);
	close(fd);
}

static void expect_tried(struct world *world, uint32_t outcome, uint32_t check, uint32_t detail)
{
	assert_int_equal(world->probe.tried.outcome, outcome);
	assert_int_equal(world->probe.tried.check, check);
	assert_int_equal(world->probe.tried.detail, detail);
}

static void probe_tells_what_became_of_the_last_attempt(void **state)
{
	struct world *world = *state;

	begin(world);
	assert_false(probe_has_news(&world->probe));
	attempt(world, "HTTP/1.1 503 Service Unavailable\r\n\r\n");
	expect_tried(world, TRIED_STATUS, 0, 503);
	assert_true(probe_has_news(&world->probe));
	attempt(world, "HTTP/1.1 503 Service Unavailable\r\n\r\n");
	assert_false(probe_has_news(&world->probe));
	attempt(world, "SSH-2.0-OpenSSH_9.2\r\n");
	expect_tried(world, TRIED_NO_HTTP, 0, 0);
	attempt(world, "");
	expect_tried(world, TRIED_CLOSED, 0, 0);
	close_hard(next_attempt(world));
	run_until_attempt_ends(world);
	expect_tried(world, TRIED_CLOSED, 0, 0);
	close(next_attempt(world));
	probe_step(&world->probe, world->now + NSEC_PER_SEC);
	expect_tried(world, TRIED_UNANSWERED, 0, 0);
	assert_true(probe_has_news(&world->probe));
	probe_begin(&world->probe, world->now);
	expect_tried(world, TRIED_NOTHING, 0, 0);
	assert_false(probe_has_news(&world->probe));
}

/* 127.0.0.2 is an address of the own, too, and nobody listens there. */
static void probe_finds_a_server_that_listens_on_loopback_only(void **state)
{
	struct world *world = *state;

	probe_init(&world->probe, &world->loop, &world->ready);
	probe_add(&world->probe, &world->ready.checks[0], INADDR_LOOPBACK + 1, false);
	probe_begin(&world->probe, world->now);
	for (int i = 0; i < 3; i++) {
		world->now += INTERVAL_NS;
		probe_step(&world->probe, world->now);
		run_until_attempt_ends(world);
		expect_tried(world, TRIED_ELSEWHERE, 0, 0);
	}
	/* it was looked for there once */
	wait_for(world->server, POLLIN);
	close(accept(world->server, NULL, NULL));
	assert_int_equal(poll(&(struct pollfd){.fd = world->server, .events = POLLIN}, 1, 0), 0);
	cleanup_close(&world->server);
	probe_begin(&world->probe, world->now);
	probe_step(&world->probe, world->now);
	run_until_attempt_ends(world);
	expect_tried(world, TRIED_REFUSED, 0, 0);
}

static void dial_start_does_not_connect_to_itself(void **state)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = dial_socket();
	struct dial_target target = {.address = INADDR_LOOPBACK};
	int r;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	target.port = port_of(fd);
	r = dial_start(fd, &target);
	if (r == -EINPROGRESS) {
		wait_for(fd, POLLOUT);
		r = dial_result(fd, &target);
	}
	assert_int_equal(r, -ECONNREFUSED);
	close(fd);
}

static void http_status_parse_knows_answers(void **state)
{
	static const struct {
		const char *data;
		int status;
	} cases[] = {
		{"", 0},
		{"H", 0},
		{"HTTP/1.1 200", 0},
		{"HTTP/1.1 200 ", 200},
		{"HTTP/1.0 301\r", 301},
		{"HTTP/1.1 999\n", 999},
		{"HTTP/1.1 100 ", 100},
		{"HTTP/1.1 099 ", -EBADMSG},
		{"HTTP/1.1 000 ", -EBADMSG},
		{"HTTP/1.1 20x", -EBADMSG},
		{"HTTP/1.1 2000", -EBADMSG},
		{"HTTP/1.x", -EBADMSG},
		{"HTTPS", -EBADMSG},
		{" HTTP/1.1 200 ", -EBADMSG},
		{"HTTP/1.1 -20 ", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(http_status_parse(cases[i].data, strlen(cases[i].data)),
				 cases[i].status);
	assert_int_equal(http_status_parse("HTTP/1.1 200", 13), -EBADMSG); /* NUL behind it */
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(probe_asks_until_the_status_is_good),
		with_world(probe_takes_the_first_that_the_server_has),
		with_world(probe_accepts_the_range_only),
		with_world(probe_survives_garbage),
		with_world(probe_gives_up_a_server_that_never_answers),
		with_world(probe_reads_an_answer_that_drips),
		with_world(probe_bounds_a_drip_that_never_ends),
		with_world(probe_survives_resets),
		with_world(probe_waits_between_attempts_that_are_refused),
		with_world(probe_of_tcp_only_connects),
		with_world(probe_stop_forgets_the_attempt),
		with_world(probe_tells_what_became_of_the_last_attempt),
		with_world(probe_finds_a_server_that_listens_on_loopback_only),
		cmocka_unit_test(dial_start_does_not_connect_to_itself),
		cmocka_unit_test(http_status_parse_knows_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
