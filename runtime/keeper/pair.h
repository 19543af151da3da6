/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two connections joined: bytes both ways, an end-of-stream passed on as one, a reset as a reset.
 * What is read from one side is written to the other at once: little through a buffer that all
 * pairs share, much by splice(2) through a lent pipe. Only what the other side does not take is
 * kept, and until it has taken that, nothing more is read for it. So a pair that is idle or keeps
 * up owns neither buffer nor pipe.
 */
#ifndef KEEPER_PAIR_H
#define KEEPER_PAIR_H

#include "keeper/counts.h"
#include "keeper/dial.h"
#include "keeper/loop.h"
#include "keeper/pending.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#define PAIR_BUFFER_SIZE 65536
#define PAIR_NEVER INT64_MAX

struct pair;

/* Where connections of a published port lead. It outlives them. */
struct pair_route {
	struct dial_target target;
	struct port_counts *counts;
	bool proxy; /* the server is told who the client is, as proxy.h has it */
};

struct pair_set {
	struct loop *loop;
	char *buffer; /* PAIR_BUFFER_SIZE bytes, for use within one call only */
	LIST_HEAD(pair_list, pair) pairs;
	LIST_HEAD(dialling_list, pair) dialling; /* those that are not joined yet */
	size_t count;
	int64_t idle_ns; /* pairs that are idle for so long are ended; 0: they are not */
	int64_t look_at; /* boot time: not before that is looked for them */
	struct pending_pool pool;
};

void pair_set_init(struct pair_set *set, struct loop *loop, char *buffer);
/*
 * From now on a pair is ended, by an end-of-stream on both sides, when for idle_ns nothing has come
 * since the last bytes from the inner side, or since now when there have been none at all. May be
 * said again, with another time.
 */
void pair_set_drain(struct pair_set *set, int64_t idle_ns);
/* Ends all pairs with a reset. */
void pair_set_end(struct pair_set *set);

/*
 * Connects inner, a socket of dial_socket(), and joins it with outer, a non-blocking connection.
 * Takes both descriptors in any case. When the target refuses, outer is reset. 0, or a negative
 * errno when the system has no room for another pair.
 */
int pair_start(struct pair_set *set, int outer, int inner, const struct pair_route *route);

/*
 * To be called after each round of the loop: dials again where the server's queue was full, and
 * ends what is idle where that is wanted. Returns
 * when to call it next at the latest (CLOCK_BOOTTIME, nanoseconds), or PAIR_NEVER.
 */
int64_t pair_step(struct pair_set *set, int64_t now);

#endif
