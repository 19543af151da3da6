/* SPDX-License-Identifier: Apache-2.0 */
/* What only the keeper of an instance can give: descriptors of places that no path leads to. */
#ifndef INSTANCE_REACH_H
#define INSTANCE_REACH_H

#include "instance/instance.h"

/*
 * Asks the keeper a question whose answer carries one descriptor: CONTROL_ROOT, CONTROL_POOL with
 * their answers. Bounded. ERROR_NOT_FOUND without a keeper.
 */
int reach_open(const struct site *site, const char *id, enum control_verb question,
	       enum control_verb answer, struct error *err);

/*
 * The sockets of the first n published ports, into ret_fds. ERROR_REFUSED when it does not give
 * them away now, or has another number of them.
 */
int reach_listeners(const struct site *site, const char *id, int *ret_fds, size_t n,
		    struct error *err);

/*
 * Its empty mount namespace (empty.h). Negative errno when it has none, or does not answer at once:
 * nobody's start waits for another one's keeper.
 */
int reach_empty(const struct site *site, const char *id);

/* Asks it to listen for the firewall's loss if too few do (keeper/guards.h); as above. */
int reach_guard(const struct site *site, const char *id);

/* Tells the keeper something that it acknowledges. Bounded. ERROR_NOT_FOUND without a keeper. */
int reach_tell(const struct site *site, const char *id, const struct control_packet *packet,
	       struct error *err);

/* The same for who has many to ask, and cannot wait for each. */
int reach_open_within(const struct site *site, const char *id, enum control_verb question,
		      enum control_verb answer, int bound_ms, struct error *err);
int reach_tell_within(const struct site *site, const char *id, const struct control_packet *packet,
		      int bound_ms, struct error *err);

#endif
