/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to a port of the instance; see dial.h. In the forwarder. */
#include "keeper/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

int dial_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	dial_set_local(fd);
	return fd;
}

void dial_set_local(int fd)
{
	static const char name[] = "reno";

	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, sizeof(name) - 1);
}

/*
 * When nobody listens on a port of the ephemeral range, the kernel may choose that very port as
 * the source, and the socket is connected to itself (RFC 9293, simultaneous open).
 */
static int refuse_self(int fd, const struct dial_target *target)
{
	struct sockaddr_in own = {0};
	socklen_t size = sizeof(own);

	if (getsockname(fd, (struct sockaddr *)&own, &size) < 0)
		return -errno;
	if (own.sin_port == htons(target->port) && own.sin_addr.s_addr == htonl(target->address))
		return -ECONNREFUSED;
	return 0;
}

int dial_start(int fd, const struct dial_target *target)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(target->port),
		.sin_addr.s_addr = htonl(target->address),
	};

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno == EINTR ? -EINPROGRESS : -errno;
	return refuse_self(fd, target);
}

int dial_result(int fd, const struct dial_target *target)
{
	socklen_t size = sizeof(int);
	int failure = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
		return -errno;
	return failure ? -failure : refuse_self(fd, target);
}

bool dial_is_unanswered(int fd)
{
	uint8_t state; /* the first member of struct tcp_info */
	socklen_t size = sizeof(state);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &size) == 0 && state == TCP_SYN_SENT;
}

void dial_reset(int fd)
{
	struct linger now = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}
