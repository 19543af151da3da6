/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of a published port: the least that a process in between can do for each portion of
 * bytes, one epoll_wait for many, a recv and a send. It counts nothing, keeps nothing for a slow
 * reader, and stops where a send takes less than it was given. For scripts/bench-ports alone.
 *
 *   relay PID ADDRESS PORT      prints the port of 127.0.0.1 on which it listens; connects in the
 *                               network namespace of that process
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX 4096
#define BATCH 64

static int peers[FDS_MAX];
static char buffer[1 << 18];

static void check(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check(fd, "socket");
	return fd;
}

static int listen_here(void)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(own);
	int fd = new_socket();

	check(bind(fd, (struct sockaddr *)&own, size), "bind");
	check(listen(fd, SOMAXCONN), "listen");
	check(getsockname(fd, (struct sockaddr *)&own, &size), "getsockname");
	printf("%d\n", ntohs(own.sin_port));
	fflush(stdout);
	return fd;
}

static void enter_network(const char *pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	check(fd, path);
	check(setns(fd, CLONE_NEWNET), "setns");
	close(fd);
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	int on = 1;

	setsockopt(fd, SOL_TCP, TCP_NODELAY, &on, sizeof(on));
	check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void join(int epoll, int listener, const struct sockaddr_in *target)
{
	int outer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int inner = new_socket();

	check(outer, "accept");
	check(connect(inner, (const struct sockaddr *)target, sizeof(*target)), "connect");
	if (outer >= FDS_MAX || inner >= FDS_MAX)
		exit(1);
	peers[outer] = inner;
	peers[inner] = outer;
	watch(epoll, outer);
	watch(epoll, inner);
}

/* Its peer's number may come again in the same batch, for a new connection: that is read then. */
static void move(int fd)
{
	ssize_t n;

	if (peers[fd] == 0)
		return;
	n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0 && send(peers[fd], buffer, (size_t)n, MSG_NOSIGNAL) == n)
		return;
	close(peers[fd]);
	peers[peers[fd]] = 0;
	peers[fd] = 0;
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in target = {.sin_family = AF_INET};
	int listener, epoll = epoll_create1(EPOLL_CLOEXEC);

	if (argc != 4 || inet_pton(AF_INET, argv[2], &target.sin_addr) != 1)
		return 2;
	target.sin_port = htons((uint16_t)atoi(argv[3]));
	listener = listen_here();
	enter_network(argv[1]);
	watch(epoll, listener);
	for (;;) {
		struct epoll_event events[BATCH];
		int n = epoll_wait(epoll, events, BATCH, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				join(epoll, listener, &target);
			else
				move(events[i].data.fd);
		}
	}
}
