/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was read for one side of a connection and is on its way to it: small portions are copied and
 * kept in memory only if the side does not take them at once; much is moved by splice(2) through
 * a pipe that is lent for as long as there are bytes in it. In the forwarder.
 */
#ifndef KEEPER_PENDING_H
#define KEEPER_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Shared by all connections. The kernel counts the pipes of all forwarders together, because they
 * have one id, and gives small ones when they are many: so there are not.
 */
struct pending_pool {
	size_t kept;   /* bytes that slow readers make us keep, in memory and in pipes */
	size_t n_lent; /* pipes */
	int idle[2];   /* one pipe that waits for the next loan; -1: none */
};

struct pending {
	char *kept;
	uint32_t taken, length;
	uint32_t piped;
	int pipe[2]; /* valid while piped is not 0 */
};

void pending_pool_init(struct pending_pool *pool);
/* Closes the idle pipe; for quiet times too. */
void pending_pool_trim(struct pending_pool *pool);

bool pending_is_empty(const struct pending *pending);

/* Sends to fd what it takes now and keeps the rest. 0 or a negative errno. */
int pending_send(struct pending *pending, struct pending_pool *pool, int fd, const void *data,
		 size_t length);

/* Keeps the data for a later pending_flush. */
void pending_keep(struct pending *pending, struct pending_pool *pool, const void *data,
		  size_t length);

/*
 * Moves a portion from a socket to another without a copy. Bytes that were read, 0 at the end of
 * the stream, a negative errno of reading or writing; -EAGAIN: nothing to read; -ENOBUFS: there is
 * no pipe, so copy. Only when nothing is pending.
 */
ssize_t pending_splice(struct pending *pending, struct pending_pool *pool, int from, int to);

/* Offers what is pending once more. 0 or a negative errno. */
int pending_flush(struct pending *pending, struct pending_pool *pool, int fd);

void pending_drop(struct pending *pending, struct pending_pool *pool);

#endif
