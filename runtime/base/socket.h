/* SPDX-License-Identifier: Apache-2.0 */
/* Packets with descriptors over UNIX SOCK_SEQPACKET sockets. 0 or a negative errno. */
#ifndef BASE_SOCKET_H
#define BASE_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

#define SOCKET_FDS_MAX 8

/*
 * Sends one packet; never raises SIGPIPE. The descriptors stay open here. For a tenth of a second
 * it is tried again when the kernel has no memory for it.
 */
int socket_send(int fd, const void *data, size_t length, const int *fds, size_t n_fds);

/*
 * Receives one packet. Returns its length, 0 at the end of the stream, or a negative errno:
 * -EMSGSIZE when the packet or its descriptors did not fit (they are closed). Received
 * descriptors are close-on-exec; *ret_n_fds of them are in fds, at most SOCKET_FDS_MAX.
 */
ssize_t socket_receive(int fd, void *buffer, size_t size, int fds[SOCKET_FDS_MAX],
		       size_t *ret_n_fds);

/*
 * Binds or connects a UNIX SOCK_SEQPACKET socket to the name below dirfd, however long the path
 * of the directory is. Returns the descriptor. -ENAMETOOLONG for a name of about 85 bytes and more.
 */
int socket_listen_at(int dirfd, const char *name, int backlog);
int socket_connect_at(int dirfd, const char *name);

#endif
