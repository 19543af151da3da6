/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands that wait for room, in order of arrival and without anybody who serves them: each has a
 * ticket in RUN/queue, a file whose name is its number and which it holds locked. A number whose
 * lock is free belongs to nobody any more, however its command ended. Who has come first of those
 * who wait for the same tries first, and alone: a small instance does not overtake a big one. Who
 * waits for an end of his own instances, because of his quota, is waited for by nobody but himself.
 */
#ifndef INSTANCE_QUEUE_H
#define INSTANCE_QUEUE_H

#include "instance/site.h"

struct ticket {
	int directory, fd;
	int watch; /* readable when it may be somebody else's turn; -1: nothing tells */
	bool watches_ends;
	uint32_t number;
	uid_t owner;
	enum room room; /* what it was refused for last; ROOM_NEVER: it has not been yet */
};

/* The last place in the queue. The caller ends it with queue_leave, also after a failure. */
int queue_enter(const struct site *site, uid_t owner, struct ticket *ret_ticket, struct error *err);

/* How many must be served before; 0: it is this one's turn. */
int queue_look(const struct site *site, const struct ticket *ticket, unsigned *ret_ahead,
	       struct error *err);

/* From now on the watch also tells that an instance has ended: before a try that may fail. */
void queue_watch_ends(const struct site *site, struct ticket *ticket);

/* What the ticket waits for, for those behind. */
void queue_note(struct ticket *ticket, enum room room);

/* May run twice. */
void queue_leave(struct ticket *ticket);

#endif
