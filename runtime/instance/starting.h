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
	char **above;  /* further layers (above.h) */
	char **lowers; /* what the views of its install directories lie on */
	char **live;   /* the installs whose live directories are among them */
	int admitting; /* guard_prepare's lock */
	struct content content;
	struct admission admission; /* what it may be given */
	struct error without;	    /* why it gets no ids of its own */
	struct record *record;
	struct store *store; /* open until there are other processes */
	int listeners[PLAN_PORTS_MAX];
	struct prepared prepared;
	struct network network;
	char neighbour[INSTANCE_ID_LENGTH + 1]; /* an instance that may give the next; "": none */
	int empty;				/* mount namespace (empty.h); -1: none */
	int lock;
	int saved;    /* held until the record says which saved layers it is on */
	int tie;      /* connection to the keeper */
	pid_t keeper; /* 0: there is none yet */
	enum pool_use pool;
};

/* Nothing is open, and nothing there. */
void starting_init(struct starting *s, const struct site *site,
		   const struct start_request *request);
void starting_deinit(struct starting *s);

/* One thing after the other; each may fail, and then nothing comes after it. */
struct stage {
	const char *name; /* for faults on demand */
	int (*run)(struct starting *s, struct error *err);
};

int start_run_stages(const struct stage *stages, size_t n, struct starting *s, struct error *err);

/* Launches the keeper; predecessor: connection to the one that it succeeds, -1: none. */
int start_launch(struct starting *s, int predecessor, struct error *err);

/* Waits so long for the keeper's first word; what it says went wrong is the error. */
int start_await_keeper(const struct starting *s, int bound_ms, struct error *err);

/*
 * Takes a spare in place of starting anything, if there is one that is just what would be started:
 * 1, with record and tie; 0 when there is none. The store is open.
 */
int start_claim(struct starting *s, struct error *err);

/* Owner, lease and published ports, whose sockets are s->listeners then. */
int start_fill_grant(struct starting *s, struct grant *grant, struct error *err);

/* Its id, and the lock that says that it lives. */
int start_create_lock(struct starting *s, struct error *err);

/* Holds the live directories that it will lie on as they are, until it is admitted. */
int start_look_at_live(struct starting *s, struct error *err);

/* Enters the record, with a name, an address and ids. */
int start_admit(struct starting *s, struct error *err);

/* Whether a refusal of the store was about a choice of our own, which has been made anew then. */
bool start_choose_again(struct starting *s, int r, struct error *err);

/* What the views of its install directories lie on, as it is now. The store is open. */
int start_find_lowers(struct starting *s, struct error *err);

/* The same with the layers above them, in no order. The caller frees. */
char **start_lowers(const struct starting *s);

/*
 * Whether this host can start it: directories, paths, the server's user, what is put inside, ids of
 * its own.
 */
int start_look_at_host(struct starting *s, struct error *err);

/* Of that, what is taken from the host: paths, the server's user, what is put inside. */
int start_take_content(struct starting *s, struct error *err);

/* Opens them, for good. */
int start_open_lowers(struct starting *s, struct error *err);

/* Unpacks what it is to start with into its layers, which are there and empty. */
int start_bring_along(struct starting *s, struct error *err);

/* What the instances of all may have together, for a record that is filled. */
int start_look_for_room(struct starting *s, struct error *err);

#endif
