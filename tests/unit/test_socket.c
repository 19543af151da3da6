/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/base/socket: packets with descriptors, of which none may be lost or left open. */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/socket.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define BEYOND (SOCKET_FDS_MAX + 12)

struct pair {
	int a, b;
	int before; /* descriptors open, these included */
};

static struct pair make_pair(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){.a = fds[0], .b = fds[1], .before = count_fds()};
}

static void close_pair(const struct pair *pair)
{
	assert_int_equal(count_fds(), pair->before);
	close(pair->a);
	close(pair->b);
}

static void assert_same_file(int a, int b)
{
	struct stat x, y;

	assert_int_equal(fstat(a, &x), 0);
	assert_int_equal(fstat(b, &y), 0);
	assert_int_equal(x.st_dev, y.st_dev);
	assert_int_equal(x.st_ino, y.st_ino);
}

static void pass_descriptors(const struct world *w, const struct pair *pair, size_t n)
{
	int out[SOCKET_FDS_MAX], in[SOCKET_FDS_MAX];
	char buffer[16] = "";
	size_t n_fds = 99;

	for (size_t i = 0; i < n; i++)
		out[i] = openat(w->dir, ".", O_TMPFILE | O_RDWR, 0600);
	assert_int_equal(socket_send(pair->a, "packet", 6, out, n), 0);
	assert_int_equal(socket_receive(pair->b, buffer, sizeof(buffer), in, &n_fds), 6);
	assert_memory_equal(buffer, "packet", 6);
	assert_int_equal(n_fds, n);
	for (size_t i = 0; i < n; i++) {
		assert_same_file(in[i], out[i]);
		assert_int_equal(fcntl(in[i], F_GETFD), FD_CLOEXEC);
		close(in[i]);
		close(out[i]);
	}
}

static void socket_receive_gets_descriptors_in_order(void **state)
{
	struct pair pair = make_pair();

	for (size_t n = 0; n <= SOCKET_FDS_MAX; n++)
		pass_descriptors(*state, &pair, n);
	close_pair(&pair);
}

static void socket_send_refuses_too_many_descriptors(void **state)
{
	struct pair pair = make_pair();
	int fds[SOCKET_FDS_MAX + 1] = {0};

	(void)state;
	assert_int_equal(socket_send(pair.a, "x", 1, fds, SOCKET_FDS_MAX + 1), -EMSGSIZE);
	close_pair(&pair);
}

static void socket_receive_closes_what_comes_with_a_cut_packet(void **state)
{
	struct pair pair = make_pair();
	char big[100] = "", small[10];
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;

	(void)state;
	assert_int_equal(socket_send(pair.a, big, sizeof(big), (int[]){0, 1, 2}, 3), 0);
	assert_int_equal(socket_receive(pair.b, small, sizeof(small), fds, &n_fds), -EMSGSIZE);
	assert_int_equal(n_fds, 0);
	close_pair(&pair);
}

/* What socket_send would refuse. */
static void send_raw(int fd, const void *data, size_t length, size_t n_fds)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(BEYOND * sizeof(int))];
	} space = {0};
	struct iovec iov = {.iov_base = (void *)data, .iov_len = length};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &space,
				 .msg_controllen = CMSG_SPACE(n_fds * sizeof(int))};

	space.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
					.cmsg_type = SCM_RIGHTS,
					.cmsg_len = CMSG_LEN(n_fds * sizeof(int))};
	assert_int_equal(sendmsg(fd, &message, 0), length);
}

static void socket_receive_closes_too_many_descriptors(void **state)
{
	struct pair pair = make_pair();

	(void)state;
	for (size_t n = SOCKET_FDS_MAX + 1; n <= BEYOND; n++) {
		int fds[SOCKET_FDS_MAX];
		size_t n_fds = 0;
		char byte;

		send_raw(pair.a, "x", 1, n);
		assert_int_equal(socket_receive(pair.b, &byte, 1, fds, &n_fds), -EMSGSIZE);
		assert_int_equal(count_fds(), pair.before);
	}
	close_pair(&pair);
}

/* It cannot be told from the end of the stream, after which nobody looks at descriptors. */
static void socket_receive_closes_what_comes_with_an_empty_packet(void **state)
{
	struct pair pair = make_pair();
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	char byte;

	(void)state;
	send_raw(pair.a, "", 0, 3);
	assert_int_equal(socket_receive(pair.b, &byte, 1, fds, &n_fds), 0);
	assert_int_equal(n_fds, 0);
	close_pair(&pair);
}

static void socket_receive_tells_the_end_and_an_empty_queue(void **state)
{
	struct pair pair = make_pair();
	int fds[SOCKET_FDS_MAX];
	size_t n_fds;
	char byte;

	(void)state;
	assert_int_equal(fcntl(pair.b, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(socket_receive(pair.b, &byte, 1, fds, &n_fds), -EAGAIN);
	assert_int_equal(socket_send(pair.a, "x", 1, NULL, 0), 0);
	shutdown(pair.a, SHUT_WR);
	assert_int_equal(socket_receive(pair.b, &byte, 1, fds, &n_fds), 1);
	assert_int_equal(socket_receive(pair.b, &byte, 1, fds, &n_fds), 0);
	close_pair(&pair);
}

/* SIGPIPE has its default here: it would end the test. */
static void socket_send_to_nobody_raises_no_signal(void **state)
{
	struct pair pair = make_pair();

	(void)state;
	close(pair.b);
	assert_int_equal(socket_send(pair.a, "x", 1, NULL, 0), -EPIPE);
	close(pair.a);
}

static int make_long_path(const struct world *w)
{
	char part[101] = "";
	cleanup_free char *path = NULL;

	memset(part, 'p', 100);
	path = xasprintf("%s/%s/%s", part, part, part);
	world_directory(w, path, 0755);
	return file_open_directory(w->dir, path);
}

static void socket_listen_at_a_long_path(void **state)
{
	cleanup_fd int dir = make_long_path(*state);
	cleanup_fd int listener = socket_listen_at(dir, "control", 4);
	cleanup_fd int client = socket_connect_at(dir, "control");
	cleanup_fd int server = -1;
	int fds[SOCKET_FDS_MAX];
	size_t n_fds;
	char byte;

	assert_true(listener >= 0);
	assert_true(client >= 0);
	assert_int_equal(fcntl(listener, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(client, F_GETFD), FD_CLOEXEC);
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_equal(socket_send(client, "x", 1, NULL, 0), 0);
	assert_int_equal(socket_receive(server, &byte, 1, fds, &n_fds), 1);
	assert_int_equal(socket_listen_at(dir, "control", 4), -EADDRINUSE);
}

static void socket_connect_at_where_nobody_listens(void **state)
{
	struct world *w = *state;

	assert_int_equal(socket_connect_at(w->dir, "control"), -ENOENT);
	close(socket_listen_at(w->dir, "control", 4));
	assert_int_equal(socket_connect_at(w->dir, "control"), -ECONNREFUSED);
	world_file(w, "file", "", 0644);
	assert_int_equal(socket_connect_at(w->dir, "file"), -ECONNREFUSED);
}

/* A name that was cut would be another one. */
static void socket_listen_at_a_name_that_does_not_fit(void **state)
{
	struct world *w = *state;
	char name[121] = "";

	memset(name, 'n', 120);
	assert_int_equal(socket_listen_at(w->dir, name, 4), -ENAMETOOLONG);
	assert_int_equal(socket_connect_at(w->dir, name), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(socket_receive_gets_descriptors_in_order),
		with_world(socket_send_refuses_too_many_descriptors),
		with_world(socket_receive_closes_what_comes_with_a_cut_packet),
		with_world(socket_receive_closes_too_many_descriptors),
		with_world(socket_receive_closes_what_comes_with_an_empty_packet),
		with_world(socket_receive_tells_the_end_and_an_empty_queue),
		with_world(socket_send_to_nobody_raises_no_signal),
		with_world(socket_listen_at_a_long_path),
		with_world(socket_connect_at_where_nobody_listens),
		with_world(socket_listen_at_a_name_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
