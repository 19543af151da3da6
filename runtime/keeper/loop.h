/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop of the processes of an instance: descriptors watched with epoll(7), level
 * triggered, one handler each. A handler may add, change and remove any source, its own and those
 * whose events came in the same batch included: what is removed is not called again, and its
 * memory is released when the batch is over.
 */
#ifndef KEEPER_LOOP_H
#define KEEPER_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

typedef void loop_handler(void *arg, uint32_t events);

struct source {
	int fd; /* for the owner to read; the rest is the loop's */
	uint32_t events;
	loop_handler *handler; /* NULL: removed */
	union {
		void *arg;
		struct source *next_removed;
	};
};

struct loop {
	int epoll;
	struct source *removed;
};

/* 0 or a negative errno. */
int loop_init(struct loop *loop);
/* All sources were removed before. May be called twice. */
void loop_deinit(struct loop *loop);

/*
 * Watches fd, which stays the caller's. Events are those of epoll_ctl(2). EPOLLERR and EPOLLHUP are
 * always reported besides, and again until something is done about them; so EPOLLERR alone means
 * "errors and hang-ups only", and 0 means "nothing at all, not even those". 0 or a negative errno
 * (-EPERM: a regular file).
 */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_handler *handler, void *arg,
	     struct source **ret_source);

/* Costs nothing when the events are what they were. 0 or a negative errno. */
int loop_change(struct loop *loop, struct source *source, uint32_t events);

/*
 * Ends the watch; call it before fd is closed, because epoll forgets a descriptor only with its
 * last duplicate in any process. NULL is allowed. The source must not be used afterwards.
 */
void loop_remove(struct loop *loop, struct source *source);

/* Removes *source, closes its descriptor and sets *source to NULL. */
void loop_close(struct loop *loop, struct source **source);

/*
 * Waits up to timeout_ms (-1: for ever, 0: not at all) and calls the handlers of one batch.
 * Returns the number of events, 0 after a timeout or a signal, or a negative errno. Not to be
 * called by a handler.
 */
int loop_run_once(struct loop *loop, int timeout_ms);

#endif
