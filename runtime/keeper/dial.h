/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to a port of the instance without waiting; for the forwarder's relay and probes. */
#ifndef KEEPER_DIAL_H
#define KEEPER_DIAL_H

#include <stdint.h>

struct dial_target {
	uint32_t address; /* host byte order */
	uint16_t port;
};

/* A TCP socket for dial_start(): non-blocking, TCP_NODELAY. A descriptor or a negative errno. */
int dial_socket(void);

/*
 * Returns 0 when connected at once, as loopback mostly does; -EINPROGRESS when the socket will be
 * writable once dial_result() has the answer; another negative errno when it failed.
 */
int dial_start(int fd, const struct dial_target *target);
int dial_result(int fd, const struct dial_target *target);

/* Closes with a reset instead of an end-of-stream, whatever is unsent. */
void dial_reset(int fd);

#endif
