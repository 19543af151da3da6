/* SPDX-License-Identifier: Apache-2.0 */
/* An instance that is being started, between the stages of its start; only for start*.c. */
#ifndef INSTANCE_STARTING_H
#define INSTANCE_STARTING_H

#include "instance/start.h"

struct starting {
	const struct site *site;
	const struct start_request *request;
	struct account account;
	char **paths;
	char **lowers; /* what the views of its install directories lie on */
	struct content content;
	struct admission admission; /* what it may be given */
	struct error without;	    /* why it gets no ids of its own */
	struct record *record;
	struct store *store; /* open until there are other processes */
	int listeners[PLAN_PORTS_MAX];
	struct prepared prepared;
	struct network network;
	int lock;
	int tie;      /* connection to the keeper */
	pid_t keeper; /* 0: there is none yet */
};

/* What the views of its install directories lie on, as it is now. The store is open. */
int start_find_lowers(struct starting *s, struct error *err);

/*
 * Whether this host can start it: directories, paths, the server's user, what is put inside, ids of
 * its own.
 */
int start_look_at_host(struct starting *s, struct error *err);

/* What the instances of all may have together, for a record that is filled. */
int start_look_for_room(struct starting *s, struct error *err);

#endif
