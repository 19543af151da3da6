/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to a port of the instance without waiting; for the forwarder's relay and probes. */
#ifndef KEEPER_DIAL_H
#define KEEPER_DIAL_H

#include <stdbool.h>
#include <stdint.h>

struct dial_target {
	uint32_t address; /* host byte order */
	uint16_t port;
};

/* A TCP socket for dial_start(): non-blocking, TCP_NODELAY. A descriptor or a negative errno. */
int dial_socket(void);

/*
 * For a connection that never leaves the host, also as what a listening socket hands down: no
 * congestion control that measures the way and paces what is sent, as BBR does, where there is no
 * way. See tcp(7), TCP_CONGESTION; "reno" is in every kernel.
 */
void dial_set_local(int fd);

/*
 * Returns 0 when connected at once, as loopback mostly does; -EINPROGRESS when the socket will be
 * writable once dial_result() has the answer; another negative errno when it failed.
 */
int dial_start(int fd, const struct dial_target *target);
int dial_result(int fd, const struct dial_target *target);

/*
 * True when nothing has come back yet. Inside one host that means that the server's queue of
 * connections was full: the kernel drops what comes then, and tries again after a second only.
 */
bool dial_is_unanswered(int fd);

/* Closes with a reset instead of an end-of-stream, whatever is unsent. */
void dial_reset(int fd);

#endif
