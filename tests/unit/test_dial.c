/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/dial and pair: a server that is slow to accept, through a forwarder in a child. */
#include "keeper/dial.h"
#include "rig.h"
#include "base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define CLIENTS 8
#define ATTEMPTS 5
#define PATIENCE_MS 30
#define KERNEL_PATIENCE_NS NSEC_PER_SEC /* before it sends to a full queue again */

/* The server's queue of connections has room for one. Time until all were served. */
static int64_t serve_crowd(const struct rig *rig)
{
	int64_t begun = clock_boottime_ns();
	int clients[CLIENTS], inside[CLIENTS];

	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = rig_connect(rig);
		assert_true(clients[i] >= 0);
		send_all(clients[i], "x");
	}
	poll(NULL, 0, PATIENCE_MS);
	for (int i = 0; i < CLIENTS; i++) {
		inside[i] = rig_accept(rig);
		expect_bytes(inside[i], "x");
	}
	for (int i = 0; i < CLIENTS; i++) {
		close(inside[i]);
		close(clients[i]);
	}
	return clock_boottime_ns() - begun;
}

/* On a host that stands still for a while one attempt proves nothing; without dialling again none
 * of them can succeed. */
static void relay_dials_again_when_the_servers_queue_was_full(void **state)
{
	struct rig *rig = *state;
	bool quick = false;

	assert_int_equal(listen(rig->server, 0), 0);
	rig_start_open(rig);
	for (int i = 0; i < ATTEMPTS && !quick; i++)
		quick = serve_crowd(rig) < KERNEL_PATIENCE_NS;
	assert_true(quick);
	assert_int_equal(rig_finish(rig), 0);
}

static void relay_ends_with_clients_that_wait_for_a_full_queue(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(listen(rig->server, 0), 0);
	rig_start_open(rig);
	for (int i = 0; i < CLIENTS; i++)
		assert_true(rig_connect(rig) >= 0);
	poll(NULL, 0, PATIENCE_MS);
	assert_int_equal(rig_finish(rig), 0);
}

static void dial_is_unanswered_until_there_is_room(void **state)
{
	int server = listen_anywhere(true), fds[CLIENTS];
	struct dial_target target = {.address = INADDR_LOOPBACK, .port = port_of(server)};
	int unanswered = 0;

	(void)state;
	assert_int_equal(listen(server, 0), 0);
	for (int i = 0; i < CLIENTS; i++) {
		int r;

		fds[i] = dial_socket();
		assert_true(fds[i] >= 0);
		r = dial_start(fds[i], &target);
		assert_true(r == 0 || r == -EINPROGRESS);
	}
	poll(NULL, 0, PATIENCE_MS);
	for (int i = 0; i < CLIENTS; i++)
		unanswered += dial_is_unanswered(fds[i]);
	assert_false(dial_is_unanswered(fds[0]));
	assert_in_range(unanswered, 1, CLIENTS - 1);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	close(server);
}

static void dial_socket_does_not_pace(void **state)
{
	int fd = dial_socket();
	char name[16] = "";
	socklen_t size = sizeof(name);

	(void)state;
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size), 0);
	assert_string_equal(name, "reno");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(relay_dials_again_when_the_servers_queue_was_full,
						rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(relay_ends_with_clients_that_wait_for_a_full_queue,
						rig_setup, rig_teardown),
		cmocka_unit_test(dial_is_unanswered_until_there_is_room),
		cmocka_unit_test(dial_socket_does_not_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
