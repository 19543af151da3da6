/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two connections joined: bytes both ways, an end-of-stream passed on as one, a reset as a reset.
 * What is read from one side is written to the other at once, through a buffer that all pairs
 * share; only what the other side does not take is kept, and until it has taken that, nothing more
 * is read for it. So a pair that is idle or keeps up owns no buffer at all.
 */
#ifndef KEEPER_PAIR_H
#define KEEPER_PAIR_H

#include "keeper/dial.h"
#include "keeper/loop.h"

#include <stddef.h>
#include <sys/queue.h>

#define PAIR_BUFFER_SIZE 65536

struct pair;

struct pair_set {
	struct loop *loop;
	char *buffer; /* PAIR_BUFFER_SIZE bytes, for use within one call only */
	LIST_HEAD(pair_list, pair) pairs;
	size_t count;
	size_t kept; /* bytes that slow readers make us keep */
};

void pair_set_init(struct pair_set *set, struct loop *loop, char *buffer);
/* Ends all pairs with a reset. */
void pair_set_end(struct pair_set *set);

/*
 * Connects inner, a socket of dial_socket(), and joins it with outer, a non-blocking connection.
 * Takes both descriptors in any case. When the target refuses, outer is reset. 0, or a negative
 * errno when the system has no room for another pair.
 */
int pair_start(struct pair_set *set, int outer, int inner, const struct dial_target *target);

#endif
