/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/relay and pair: connections through a forwarder in a child process. */
#include "keeper/pair.h"
#include "rig.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

#define IDLE_PAIRS 2000
#define BULK (8 << 20) /* more than the kernel buffers */
#define SMALL_BUFFER 65536
#define PORTION_MAX 3000
#define OBSERVED_MS 300
#define CALM_SECONDS 0.05 /* of processor time within OBSERVED_MS: far from spinning */

static void relay_passes_half_close_on(void **state)
{
	struct rig *rig = *state;
	int client, inside;

	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	send_all(client, "question");
	shutdown(client, SHUT_WR);
	expect_bytes(inside, "question");
	expect_end(inside);
	send_all(inside, "a late answer");
	expect_bytes(client, "a late answer");
	close(inside);
	expect_end(client);
	close(client);
	assert_int_equal(rig_finish(rig), 0);
}

static void relay_passes_half_close_on_from_inside(void **state)
{
	struct rig *rig = *state;
	int client, inside;

	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	send_all(inside, "banner");
	shutdown(inside, SHUT_WR);
	expect_bytes(client, "banner");
	expect_end(client);
	send_all(client, "still talking");
	expect_bytes(inside, "still talking");
	close(client);
	expect_end(inside);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void relay_passes_resets_on(void **state)
{
	struct rig *rig = *state;
	int client, inside;

	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	close_hard(client);
	expect_reset(inside);
	close(inside);
	rig_join(rig, &client, &inside);
	send_all(inside, "before");
	expect_bytes(client, "before");
	close_hard(inside);
	expect_reset(client);
	close(client);
	assert_int_equal(rig_finish(rig), 0);
}

static void relay_resets_what_is_refused_inside(void **state)
{
	struct rig *rig = *state;
	int client;

	rig_stop_listening(rig);
	rig_start_open(rig);
	for (int i = 0; i < 3; i++) {
		client = rig_connect(rig);
		assert_true(client >= 0);
		expect_reset(client);
		close(client);
	}
	assert_int_equal(rig_finish(rig), 0);
}

static void relay_survives_clients_that_left_the_backlog(void **state)
{
	struct rig *rig = *state;
	int client, inside;

	rig_start(rig);
	for (int i = 0; i < 200; i++) {
		client = rig_connect(rig);
		assert_true(client >= 0);
		close_hard(client);
	}
	client = rig_connect(rig);
	assert_true(client >= 0);
	send_all(client, "I stayed");
	rig_say_started(rig, 1);
	rig_expect_ready(rig, 1);
	for (bool found = false; !found; close(inside)) {
		char words[16] = "";

		inside = rig_accept(rig);
		found = recv(inside, words, 8, MSG_WAITALL) == 8 && !strcmp(words, "I stayed");
	}
	close(client);
	assert_int_equal(rig_finish(rig), 0);
}

static char *make_bulk(unsigned seed)
{
	char *bulk = xcalloc(BULK, 1);

	for (size_t i = 0; i < BULK; i++) {
		seed = seed * 1103515245 + 12345;
		bulk[i] = (char)(seed >> 16);
	}
	return bulk;
}

struct flow {
	int from, to;
	const char *bulk;
	size_t sent, got;
	size_t portion; /* of one read */
};

static void set_buffers(int fd, int bytes)
{
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static void push(struct flow *flow)
{
	ssize_t n;

	if (flow->sent == BULK)
		return;
	n = send(flow->from, flow->bulk + flow->sent, BULK - flow->sent, MSG_DONTWAIT);
	if (n < 0) {
		assert_int_equal(errno, EAGAIN);
		return;
	}
	flow->sent += (size_t)n;
	if (flow->sent == BULK)
		shutdown(flow->from, SHUT_WR);
}

/* True when the end of the stream was read. */
static bool pull(struct flow *flow)
{
	char got[PORTION_MAX];
	ssize_t n = recv(flow->to, got, flow->portion, MSG_DONTWAIT);

	if (n < 0) {
		assert_int_equal(errno, EAGAIN);
		return false;
	}
	assert_true(flow->got + (size_t)n <= BULK);
	assert_memory_equal(got, flow->bulk + flow->got, (size_t)n);
	flow->got += (size_t)n;
	return n == 0;
}

/* What the descriptor is still for: none of it, and poll(2) would report its hang-up for ever. */
static struct pollfd interest(const struct flow *outward, bool heard_all)
{
	struct pollfd polled = {.fd = outward->from};

	if (outward->sent < BULK)
		polled.events |= POLLOUT;
	if (!heard_all)
		polled.events |= POLLIN;
	if (polled.events == 0)
		polled.fd = -1;
	return polled;
}

static void exchange(struct flow flows[2])
{
	bool over[2] = {false, false};

	while (!over[0] || !over[1]) {
		struct pollfd polled[2];

		for (int i = 0; i < 2; i++)
			polled[i] = interest(&flows[i], over[!i]);
		assert_true(poll(polled, 2, RIG_BOUND_MS) > 0);
		for (int i = 0; i < 2; i++) {
			push(&flows[i]);
			over[i] = over[i] || pull(&flows[i]);
		}
	}
	assert_int_equal(flows[0].got, BULK);
	assert_int_equal(flows[1].got, BULK);
}

static void relay_carries_bulk_both_ways_at_a_slow_readers_pace(void **state)
{
	cleanup_free char *up = make_bulk(1), *down = make_bulk(2);
	struct rig *rig = *state;
	int client, inside;
	struct flow flows[2];

	set_buffers(rig->server, SMALL_BUFFER);
	set_buffers(rig_listener(rig), SMALL_BUFFER);
	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	set_buffers(client, SMALL_BUFFER);
	flows[0] = (struct flow){.from = client, .to = inside, .bulk = up, .portion = PORTION_MAX};
	flows[1] = (struct flow){.from = inside, .to = client, .bulk = down, .portion = 700};
	exchange(flows);
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

/* Fills the way from one end until nothing more is taken; the number of bytes. */
static size_t stuff(int fd)
{
	static const char zeros[16384];
	struct pollfd polled = {.fd = fd, .events = POLLOUT};
	size_t total = 0;

	while (poll(&polled, 1, 100) == 1) {
		ssize_t n = send(fd, zeros, sizeof(zeros), MSG_DONTWAIT);

		total += n > 0 ? (size_t)n : 0;
	}
	return total;
}

static void expect_calm(const struct rig *rig)
{
	double before = rig_cpu_seconds(rig);

	poll(NULL, 0, OBSERVED_MS);
	assert_true(rig_cpu_seconds(rig) - before < CALM_SECONDS);
}

struct joined {
	struct loop loop;
	struct pair_set set;
	struct pair_route route;
	struct port_counts counts;
	char buffer[PAIR_BUFFER_SIZE];
	int client, inside;
};

static void join(struct joined *joined, const struct rig *rig)
{
	int outer;

	joined->route = (struct pair_route){
		.target = {.address = INADDR_LOOPBACK, .port = port_of(rig->server)},
		.counts = &joined->counts,
	};
	assert_int_equal(loop_init(&joined->loop), 0);
	pair_set_init(&joined->set, &joined->loop, joined->buffer);
	assert_int_equal(listen(rig_listener(rig), 1), 0);
	joined->client = rig_connect(rig);
	outer = accept4(rig_listener(rig), NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(outer >= 0);
	assert_int_equal(pair_start(&joined->set, outer, dial_socket(), &joined->route), 0);
	joined->inside = rig_accept(rig);
}

/* Runs until the bytes come out of the descriptor: their number, 0 at the end. */
static size_t run_and_read(struct joined *joined, int fd)
{
	char buffer[65536];
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT)) < 0) {
		assert_int_equal(errno, EAGAIN);
		assert_true(loop_run_once(&joined->loop, RIG_BOUND_MS) > 0);
	}
	return (size_t)n;
}

static size_t send_until_kept(struct joined *joined)
{
	static const char zeros[16384];
	size_t sent = 0;

	while (joined->set.pool.kept == 0) {
		assert_int_equal(send(joined->client, zeros, sizeof(zeros), 0), sizeof(zeros));
		sent += sizeof(zeros);
		assert_true(loop_run_once(&joined->loop, RIG_BOUND_MS) > 0);
	}
	return sent;
}

/*
 * Both directions of the client's connection are over, but what it sent is still to be taken: its
 * hang-up is reported without end and must not make the loop spin, nor lose a byte.
 */
static void pair_is_calm_when_a_client_hangs_up_before_a_slow_server(void **state)
{
	cleanup_free struct joined *joined = xcalloc(1, sizeof(*joined));
	size_t sent, got = 0, n;

	join(joined, *state);
	shutdown(joined->inside, SHUT_WR);
	assert_int_equal(run_and_read(joined, joined->client), 0);
	sent = send_until_kept(joined);
	close(joined->client);
	for (int rounds = 0; loop_run_once(&joined->loop, OBSERVED_MS) > 0; rounds++)
		assert_true(rounds < 100);
	assert_true(joined->set.pool.kept > 0);
	while ((n = run_and_read(joined, joined->inside)) > 0)
		got += n;
	assert_int_equal(got, sent);
	assert_int_equal(joined->set.count, 0);
	assert_int_equal(joined->set.pool.kept, 0);
	close(joined->inside);
	loop_deinit(&joined->loop);
}

static size_t send_much_until_kept(struct joined *joined)
{
	static const char zeros[1 << 20];
	size_t sent = 0;

	while (joined->set.pool.kept == 0) {
		ssize_t n = send(joined->client, zeros, sizeof(zeros), MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		assert_true(loop_run_once(&joined->loop, RIG_BOUND_MS) > 0);
	}
	return sent;
}

/* A slow reader of much keeps bytes in a pipe; once it has taken them nothing is lent any more. */
static void pair_lends_a_pipe_while_bytes_move(void **state)
{
	cleanup_free struct joined *joined = xcalloc(1, sizeof(*joined));
	size_t sent, got = 0;

	join(joined, *state);
	sent = send_much_until_kept(joined);
	assert_int_equal(joined->set.pool.n_lent, 1);
	while (got < sent)
		got += run_and_read(joined, joined->inside);
	assert_int_equal(got, sent);
	assert_int_equal(joined->counts.in, sent);
	assert_int_equal(joined->set.pool.n_lent, 0);
	assert_int_equal(joined->set.pool.kept, 0);
	close(joined->client);
	close(joined->inside);
	pair_set_end(&joined->set);
	assert_int_equal(joined->set.pool.idle[0], -1);
	assert_int_equal(joined->counts.now, 0);
	assert_int_equal(joined->counts.total, 1);
	loop_deinit(&joined->loop);
}

static void relay_says_who_the_client_is(void **state)
{
	static const unsigned char begin[] =
		"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1";
	struct rig *rig = *state;
	unsigned char got[28];
	uint16_t ports[2];
	int client, inside;

	rig->config.ports[0].flags = PORT_PROXY;
	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	send_all(client, "hello");
	assert_int_equal(recv(inside, got, sizeof(got), MSG_WAITALL), sizeof(got));
	assert_memory_equal(got, begin, sizeof(begin) - 1);
	memcpy(ports, got + 24, sizeof(ports));
	assert_int_equal(ntohs(ports[0]), port_of(client));
	assert_int_equal(ntohs(ports[1]), port_of(rig_listener(rig)));
	expect_bytes(inside, "hello");
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void relay_notices_a_reset_of_a_stalled_client(void **state)
{
	struct rig *rig = *state;
	int client, inside;
	char buffer[65536];
	ssize_t n;

	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	stuff(client);
	close_hard(client);
	/* nothing is taken, and still the other side learns of it */
	wait_for(inside, POLLHUP);
	do
		n = read(inside, buffer, sizeof(buffer));
	while (n > 0);
	assert_int_equal(errno, ECONNRESET);
	close(inside);
	expect_calm(rig);
	assert_int_equal(rig_finish(rig), 0);
}

static void relay_is_calm_with_a_half_closed_pair(void **state)
{
	struct rig *rig = *state;
	int client, inside;

	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	shutdown(client, SHUT_WR);
	expect_end(inside);
	expect_calm(rig);
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static int raise_descriptor_limit(int wanted)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit.rlim_cur < (rlim_t)wanted ? (int)limit.rlim_cur : wanted;
}

static void relay_holds_idle_connections_in_little_memory(void **state)
{
	struct rig *rig = *state;
	int n = (raise_descriptor_limit(2 * IDLE_PAIRS + 100) - 100) / 2;
	cleanup_free int *clients = xcalloc((size_t)n, sizeof(int));
	cleanup_free int *insides = xcalloc((size_t)n, sizeof(int));
	size_t before, grown;

	rig_start_open(rig);
	rig_join(rig, &clients[0], &insides[0]);
	send_all(clients[0], "warm");
	expect_bytes(insides[0], "warm");
	before = rig_resident_bytes(rig);
	for (int i = 1; i < n; i++)
		rig_join(rig, &clients[i], &insides[i]);
	for (int i = 0; i < n; i++) {
		send_all(insides[i], "used once");
		expect_bytes(clients[i], "used once");
	}
	grown = rig_resident_bytes(rig) - before;
	print_message("%d idle connections: %zu bytes each\n", n, grown / (size_t)n);
	if (!is_sanitized())
		assert_true(grown / (size_t)n <= 512);
	for (int i = 0; i < n; i++) {
		close(clients[i]);
		close(insides[i]);
	}
	assert_int_equal(rig_finish(rig), 0);
}

/* What the child inherits counts too, so which socket is the last one depends on the limit. */
static void fill_descriptors(struct rig *rig, rlim_t limit)
{
	enum { CROWD = 60 };
	int clients[CROWD], inside[CROWD];
	int64_t until;
	int n = 0;

	rig->descriptors = limit;
	rig_start_open(rig);
	for (int i = 0; i < CROWD; i++) {
		clients[i] = rig_connect(rig);
		assert_true(clients[i] >= 0);
		send_all(clients[i], "x");
	}
	inside[n++] = rig_accept(rig);
	expect_calm(rig);
	for (struct pollfd p = {.fd = rig->server, .events = POLLIN}; poll(&p, 1, 0) == 1;)
		inside[n++] = rig_accept(rig);
	assert_true(n < CROWD / 2);
	/* each one that ends makes room for another, in the order they came, at once */
	until = clock_boottime_ns() + 10 * NSEC_PER_SEC;
	for (int i = 0; i < CROWD; i++) {
		expect_bytes(inside[i], "x");
		close(inside[i]);
		close(clients[i]);
		if (n < CROWD)
			inside[n++] = rig_accept(rig);
	}
	assert_true(clock_boottime_ns() < until);
	assert_int_equal(rig_finish(rig), 0);
}

static void relay_waits_when_no_connection_can_be_accepted(void **state)
{
	fill_descriptors(*state, 64);
}

static void relay_waits_when_no_connection_can_be_joined(void **state)
{
	fill_descriptors(*state, 65);
}

static void relay_recovers_when_no_descriptor_was_free_at_all(void **state)
{
	struct rig *rig = *state;
	struct rlimit none = {0, 512}, plenty = {512, 512};
	int client, inside;

	rig->descriptors = 512;
	rig_start_open(rig);
	assert_int_equal(prlimit(rig->child, RLIMIT_NOFILE, &none, NULL), 0);
	client = rig_connect(rig);
	assert_true(client >= 0);
	expect_calm(rig);
	assert_int_equal(prlimit(rig->child, RLIMIT_NOFILE, &plenty, NULL), 0);
	/* no connection ends; the timer finds out */
	inside = rig_accept(rig);
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_rig(relay_passes_half_close_on),
		with_rig(relay_passes_half_close_on_from_inside),
		with_rig(relay_passes_resets_on),
		with_rig(relay_resets_what_is_refused_inside),
		with_rig(relay_survives_clients_that_left_the_backlog),
		with_rig(relay_carries_bulk_both_ways_at_a_slow_readers_pace),
		with_rig(pair_is_calm_when_a_client_hangs_up_before_a_slow_server),
		with_rig(pair_lends_a_pipe_while_bytes_move),
		with_rig(relay_says_who_the_client_is),
		with_rig(relay_notices_a_reset_of_a_stalled_client),
		with_rig(relay_is_calm_with_a_half_closed_pair),
		with_rig(relay_holds_idle_connections_in_little_memory),
		with_rig(relay_waits_when_no_connection_can_be_accepted),
		with_rig(relay_waits_when_no_connection_can_be_joined),
		with_rig(relay_recovers_when_no_descriptor_was_free_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
