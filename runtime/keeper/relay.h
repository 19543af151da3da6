/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Published ports: listening sockets of the host's network, each joined to a port of the instance.
 * In the forwarder.
 */
#ifndef KEEPER_RELAY_H
#define KEEPER_RELAY_H

#include "keeper/forwarder.h"
#include "keeper/pair.h"

#include <stdbool.h>

#define RELAY_NEVER PAIR_NEVER

enum relay_mode {
	RELAY_WAIT,   /* accept nothing; where the socket listens, its backlog holds */
	RELAY_REFUSE, /* where the socket listens, accept and reset */
	RELAY_JOIN,   /* listen, accept and join */
	RELAY_DRAIN,  /* accept nothing, for good: others hold the listeners */
};

struct relay_listener {
	struct relay *relay;
	struct source *source;
	struct pair_route route;
};

struct relay {
	struct pair_set set;
	enum relay_mode mode;
	bool listens; /* listen(2) was called */
	int spare;    /* the next connection's inner socket: who is accepted can be joined */
	struct relay_listener listeners[PLAN_PORTS_MAX];
	size_t n_listeners;
	bool paused;	  /* no descriptor was free */
	size_t paused_at; /* number of pairs at that moment */
	int64_t resume_at;
	struct counts own_counts; /* where the keeper gave none */
};

/*
 * Starts in mode RELAY_WAIT. The listeners stay the caller's; buffer is PAIR_BUFFER_SIZE bytes
 * that need not survive between two rounds of the loop. 0, or a negative errno: then nothing stays,
 * and relay_deinit() may be called or not.
 */
int relay_init(struct relay *relay, struct loop *loop, const struct forwarder *config,
	       char *buffer);
void relay_deinit(struct relay *relay);

/* Another port, whose listener is the relay's from now on; accepted from once the mode is set. */
int relay_add(struct relay *relay, const struct forwarder *config,
	      const struct forwarder_port *port);

/* 0 or a negative errno when a port cannot be listened on. */
int relay_set_mode(struct relay *relay, enum relay_mode mode);
/* Sets RELAY_DRAIN, and ends connections that are idle for so long (pair_set_drain). */
void relay_drain(struct relay *relay, int64_t idle_ns);
/* Resets all connections. */
void relay_end_connections(struct relay *relay);

/*
 * To be called after each round of the loop: accepting stops when there is no descriptor for
 * another connection, and goes on here when one ended, or at the time that is returned
 * (CLOCK_BOOTTIME, nanoseconds, or RELAY_NEVER), because descriptors run out system-wide too.
 * Connections to the server that it has not answered are tried again.
 */
int64_t relay_step(struct relay *relay, int64_t now);

#endif
