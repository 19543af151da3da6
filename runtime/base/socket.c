/* SPDX-License-Identifier: Apache-2.0 */
/* Packets with descriptors; see socket.h. */
#include "base/socket.h"
#include "base/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SEND_TRIES 20
#define SEND_AGAIN_MS 5

union fd_space {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(SOCKET_FDS_MAX * sizeof(int))];
};

/* The kernel's, of the moment: what is not sent then is waited for by the other side. */
static bool is_out_of_memory(int errnum)
{
	return errnum == ENOMEM || errnum == ENOBUFS;
}

int socket_send(int fd, const void *data, size_t length, const int *fds, size_t n_fds)
{
	union fd_space space = {0};
	struct iovec iov = {.iov_base = (void *)data, .iov_len = length};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (n_fds > SOCKET_FDS_MAX)
		return -EMSGSIZE;
	if (n_fds > 0) {
		message.msg_control = space.bytes;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		space.header.cmsg_level = SOL_SOCKET;
		space.header.cmsg_type = SCM_RIGHTS;
		space.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&space.header), fds, n_fds * sizeof(int));
	}
	for (int tries = 0;; tries++) {
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
		if (n >= 0)
			return 0;
		if (errno != EINTR && !is_out_of_memory(errno))
			return -errno;
		if (tries == SEND_TRIES)
			return -errno;
		if (errno != EINTR)
			poll(NULL, 0, SEND_AGAIN_MS);
	}
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static size_t take_fds(struct msghdr *message, int fds[SOCKET_FDS_MAX])
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t bytes = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		if (bytes > (SOCKET_FDS_MAX - n) * sizeof(int))
			bytes = (SOCKET_FDS_MAX - n) * sizeof(int);
		memcpy(fds + n, CMSG_DATA(c), bytes);
		n += bytes / sizeof(int);
	}
	return n;
}

ssize_t socket_receive(int fd, void *buffer, size_t size, int fds[SOCKET_FDS_MAX],
		       size_t *ret_n_fds)
{
	union fd_space space = {0};
	struct iovec iov = {.iov_base = buffer, .iov_len = size};
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space.bytes,
		.msg_controllen = sizeof(space.bytes),
	};
	size_t n_fds;
	ssize_t n;

	do
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	n_fds = take_fds(&message, fds);
	if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		close_all(fds, n_fds);
		return -EMSGSIZE;
	}
	/* an empty packet looks like the end, where nobody expects descriptors */
	if (n == 0) {
		close_all(fds, n_fds);
		n_fds = 0;
	}
	*ret_n_fds = n_fds;
	return n;
}

/* sun_path holds 108 bytes; the way through the descriptor is always short. */
static int address_of(int dirfd, const char *name, struct sockaddr_un *ret_address)
{
	int n;

	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "/proc/self/fd/%d/%s",
		     dirfd, name);
	return n < (int)sizeof(ret_address->sun_path) ? 0 : -ENAMETOOLONG;
}

int socket_listen_at(int dirfd, const char *name, int backlog)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	int r;

	if (fd < 0)
		return -errno;
	r = address_of(dirfd, name, &address);
	if (r < 0)
		return r;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, backlog) < 0)
		return -errno;
	return steal_fd(&fd);
}

int socket_connect_at(int dirfd, const char *name)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	int r;

	if (fd < 0)
		return -errno;
	r = address_of(dirfd, name, &address);
	if (r < 0)
		return r;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return steal_fd(&fd);
}
