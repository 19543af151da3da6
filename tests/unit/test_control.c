/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/control: packets between commands, keeper and init, and what others may send. */
#include "world.h"
#include "base/cleanup.h"
#include "base/socket.h"
#include "base/text.h"
#include "keeper/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define ROUNDS 100000
#define ERROR_CODE_FROM_END 12 /* code, kind and an absent text end a packet without an error */

struct pair {
	int a, b;
};

static int pair_setup(void **state)
{
	struct pair *pair = xcalloc(1, sizeof(*pair));
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -1;
	*pair = (struct pair){.a = fds[0], .b = fds[1]};
	*state = pair;
	return 0;
}

static int pair_teardown(void **state)
{
	struct pair *pair = *state;

	close(pair->a);
	close(pair->b);
	free(pair);
	return 0;
}

static struct control_packet full_packet(void)
{
	static char *argv[] = {(char *)"ls", (char *)"", (char *)"-l", NULL};
	static char *env[] = {(char *)"TERM=xterm", NULL};
	struct control_packet packet = {
		.verb = CONTROL_EXEC,
		.finish = true,
		.terminal = false,
		.not_ready = true,
		.number = INT64_MIN,
		.number2 = INT64_MAX,
		.as_user = true,
		.uid = 1234,
		.gid = UINT32_MAX - 1,
		.text = (char *)"stopped by alice",
		.argv = argv,
		.env = env,
		.rows = 65535,
		.columns = 132,
		.lease = {.clock = LEASE_WALL,
			  .source = LEASE_FROM_EXTEND,
			  .deadline_ns = -1,
			  .length_ns = 2,
			  .max_ns = 3},
	};

	error_set(&packet.error, ENOSPC, "cannot write '%s'", "/x");
	return packet;
}

static void assert_words(char *const *a, char *const *b)
{
	assert_int_equal(strv_length(a), strv_length(b));
	for (size_t i = 0; a && b && a[i]; i++)
		assert_string_equal(a[i], b[i]);
}

static void assert_same(const struct control_packet *a, const struct control_packet *b)
{
	assert_int_equal(a->verb, b->verb);
	assert_int_equal(a->finish, b->finish);
	assert_int_equal(a->terminal, b->terminal);
	assert_int_equal(a->not_ready, b->not_ready);
	assert_true(a->number == b->number && a->number2 == b->number2);
	assert_true(a->as_user == b->as_user && a->uid == b->uid && a->gid == b->gid);
	assert_int_equal(!a->text, !b->text);
	if (a->text && b->text)
		assert_string_equal(a->text, b->text);
	assert_words(a->argv, b->argv);
	assert_words(a->env, b->env);
	assert_int_equal(a->rows, b->rows);
	assert_int_equal(a->columns, b->columns);
	assert_memory_equal(&a->lease, &b->lease, sizeof(a->lease));
	assert_int_equal(a->error.code, b->error.code);
	assert_int_equal(a->error.kind, b->error.kind);
	assert_string_equal(a->error.text, b->error.text);
}

static struct control_packet pass(const struct pair *pair, const struct control_packet *packet)
{
	struct control_packet received;
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 9;

	assert_int_equal(control_send(pair->a, packet, NULL, 0), 0);
	assert_int_equal(control_receive(pair->b, &received, fds, &n_fds), 1);
	assert_int_equal(n_fds, 0);
	return received;
}

static void control_receive_returns_every_field(void **state)
{
	struct control_packet packet = full_packet(), received = pass(*state, &packet);

	assert_same(&received, &packet);
	control_packet_deinit(&received);
	control_packet_deinit(&received);
}

static void control_receive_returns_each_flag(void **state)
{
	for (unsigned flags = 0; flags < 8; flags++) {
		struct control_packet packet = {.verb = CONTROL_OK,
						.finish = flags & 1,
						.terminal = flags & 2,
						.not_ready = flags & 4};
		struct control_packet received = pass(*state, &packet);

		assert_same(&received, &packet);
		control_packet_deinit(&received);
	}
}

static void control_receive_returns_descriptors(void **state)
{
	const struct pair *pair = *state;
	cleanup_packet struct control_packet received = {0};
	struct control_packet packet = {.verb = CONTROL_EXEC};
	int fds[SOCKET_FDS_MAX], out[3];
	struct stat a, b;
	size_t n_fds;

	for (int i = 0; i < 3; i++)
		out[i] = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(control_send(pair->a, &packet, out, 3), 0);
	assert_int_equal(control_receive(pair->b, &received, fds, &n_fds), 1);
	assert_int_equal(n_fds, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fstat(fds[i], &a), 0);
		assert_int_equal(fstat(out[i], &b), 0);
		assert_int_equal(a.st_ino, b.st_ino);
		close(fds[i]);
		close(out[i]);
	}
}

static void receive_without_room(const void *arg)
{
	const struct pair *pair = arg;
	struct control_packet received = {0};
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;

	must(setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3}) == 0);
	must(control_receive(pair->b, &received, fds, &n_fds) == -EMSGSIZE);
	must(received.verb == CONTROL_EXEC && received.number == 4711);
	must(n_fds == 0 && !received.argv && !received.env && !received.text);
	/* the next one is whole */
	must(control_receive(pair->b, &received, fds, &n_fds) == 1);
	must(received.verb == CONTROL_OK);
	control_packet_deinit(&received);
}

static void control_receive_says_whose_descriptors_did_not_fit(void **state)
{
	const struct pair *pair = *state;
	struct control_packet packet = full_packet(), next = {.verb = CONTROL_OK};

	packet.number = 4711;
	assert_int_equal(control_send(pair->a, &packet, (int[]){0, 1, 2}, 3), 0);
	assert_int_equal(control_send(pair->a, &next, NULL, 0), 0);
	run_in_child(0, receive_without_room, pair);
}

static void control_receive_tells_the_end(void **state)
{
	struct pair *pair = *state;
	struct control_packet untouched;
	int fds[SOCKET_FDS_MAX];
	size_t n_fds;

	assert_int_equal(control_receive(pair->b, &untouched, fds, &n_fds), -EAGAIN);
	shutdown(pair->a, SHUT_WR);
	assert_int_equal(control_receive(pair->b, &untouched, fds, &n_fds), 0);
}

static void control_send_refuses_what_is_too_large(void **state)
{
	const struct pair *pair = *state;
	cleanup_free char *text = xcalloc(CONTROL_PACKET_MAX + 1, 1);
	struct control_packet packet = {.verb = CONTROL_OK, .text = text};
	struct control_packet received;

	memset(text, 'x', CONTROL_PACKET_MAX);
	assert_int_equal(control_send(pair->a, &packet, NULL, 0), -E2BIG);
	text[CONTROL_PACKET_MAX - 200] = '\0';
	received = pass(pair, &packet);
	assert_string_equal(received.text, text);
	control_packet_deinit(&received);
}

static void control_send_to_nobody(void **state)
{
	struct pair *pair = *state;
	struct control_packet packet = {.verb = CONTROL_OK};

	shutdown(pair->b, SHUT_RDWR);
	assert_int_equal(control_send(pair->a, &packet, NULL, 0), -EPIPE);
}

/* The bytes of a packet, as they are on the way. */
static size_t encode(const struct pair *pair, const struct control_packet *packet, uint8_t *bytes)
{
	ssize_t n;

	assert_int_equal(control_send(pair->a, packet, NULL, 0), 0);
	n = recv(pair->b, bytes, CONTROL_PACKET_MAX, 0);
	assert_true(n > 0);
	return (size_t)n;
}

/* Sends bytes with a descriptor; after a refusal it must be closed again. */
static int receive_bytes(const struct pair *pair, const void *bytes, size_t length)
{
	struct control_packet received;
	int fds[SOCKET_FDS_MAX], r;
	size_t n_fds = 0;

	assert_int_equal(socket_send(pair->a, bytes, length, &pair->a, 1), 0);
	r = control_receive(pair->b, &received, fds, &n_fds);
	if (r > 0) {
		control_packet_deinit(&received);
		assert_int_equal(n_fds, 1);
		close(fds[0]);
	} else {
		assert_int_equal(n_fds, 0);
	}
	return r;
}

static void control_receive_of_every_beginning(void **state)
{
	struct control_packet packet = full_packet();
	uint8_t *bytes = xcalloc(CONTROL_PACKET_MAX, 1);
	size_t length = encode(*state, &packet, bytes);
	int before = count_fds();

	for (size_t n = 1; n < length; n++)
		assert_int_equal(receive_bytes(*state, bytes, n), n < 4 ? -EPROTO : -EBADMSG);
	assert_int_equal(receive_bytes(*state, bytes, length), 1);
	assert_int_equal(receive_bytes(*state, bytes, length + 1), -EBADMSG);
	assert_int_equal(count_fds(), before);
	free(bytes);
}

static void control_receive_of_another_version(void **state)
{
	struct control_packet packet = full_packet();
	uint8_t *bytes = xcalloc(CONTROL_PACKET_MAX, 1);
	size_t length = encode(*state, &packet, bytes);

	bytes[0] = CONTROL_VERSION + 1;
	assert_int_equal(receive_bytes(*state, bytes, length), -EPROTO);
	free(bytes);
}

/* Any 32 bits may stand where an error's code is; what is received is never a positive code. */
static void control_receive_of_every_kind_of_error_code(void **state)
{
	static const uint32_t codes[] = {1, 4095, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff};
	struct control_packet packet = {.verb = CONTROL_FAILED};
	const struct pair *pair = *state;
	uint8_t *bytes = xcalloc(CONTROL_PACKET_MAX, 1);
	size_t length = encode(pair, &packet, bytes);

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct control_packet received = {0};
		int fds[SOCKET_FDS_MAX], r;
		size_t n_fds = 0;

		memcpy(bytes + length - ERROR_CODE_FROM_END, &codes[i], sizeof(codes[i]));
		assert_int_equal(socket_send(pair->a, bytes, length, NULL, 0), 0);
		r = control_receive(pair->b, &received, fds, &n_fds);
		assert_true(r == 1 || r == -EBADMSG);
		assert_true(received.error.code <= 0);
		control_packet_deinit(&received);
	}
	free(bytes);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void control_receive_of_changed_bytes(void **state)
{
	struct control_packet packet = full_packet();
	uint8_t *bytes = xcalloc(CONTROL_PACKET_MAX, 1);
	size_t length = encode(*state, &packet, bytes);
	int before = count_fds(), accepted = 0;
	uint32_t seed = 2463534242U;

	for (int i = 0; i < ROUNDS / 2; i++) {
		size_t at = next_random(&seed) % length;
		uint8_t old = bytes[at];

		bytes[at] = (uint8_t)next_random(&seed);
		accepted += receive_bytes(*state, bytes, length) > 0;
		bytes[at] = old;
	}
	assert_true(accepted > 0 && accepted < ROUNDS / 2);
	assert_int_equal(count_fds(), before);
	free(bytes);
}

/* Small numbers are likely, so that lengths and counts often fit. */
static void control_receive_of_random_bytes(void **state)
{
	uint32_t seed = 362436069U;
	int before = count_fds();
	uint8_t bytes[512];

	for (int i = 0; i < ROUNDS / 2; i++) {
		size_t length = 1 + next_random(&seed) % sizeof(bytes);
		uint32_t version = CONTROL_VERSION;

		for (size_t k = 0; k < length; k++)
			bytes[k] = next_random(&seed) % 4 ? 0 : (uint8_t)next_random(&seed);
		memcpy(bytes, &version, length < 4 ? length : 4);
		(void)receive_bytes(*state, bytes, length);
	}
	assert_int_equal(count_fds(), before);
}

#define with_pair(test) cmocka_unit_test_setup_teardown(test, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_pair(control_receive_returns_every_field),
		with_pair(control_receive_returns_each_flag),
		with_pair(control_receive_returns_descriptors),
		with_pair(control_receive_says_whose_descriptors_did_not_fit),
		with_pair(control_receive_tells_the_end),
		with_pair(control_send_refuses_what_is_too_large),
		with_pair(control_send_to_nobody),
		with_pair(control_receive_of_every_beginning),
		with_pair(control_receive_of_another_version),
		with_pair(control_receive_of_every_kind_of_error_code),
		with_pair(control_receive_of_changed_bytes),
		with_pair(control_receive_of_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
