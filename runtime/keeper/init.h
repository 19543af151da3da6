/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Init: PID 1 of an instance. It makes the inside, starts the server and what is executed later,
 * reaps everything, and ends everything when the keeper is gone.
 */
#ifndef KEEPER_INIT_H
#define KEEPER_INIT_H

#include "keeper/message.h"

struct init {
	const struct start_message *message;
	int channel;   /* SOCK_SEQPACKET to the keeper */
	int userns;    /* the instance's user namespace; -1: it has none */
	int cgroupns;  /* namespace of groups; -1: to be made */
	int group;     /* of the server in version 2, a directory; -1: none */
	int empty;     /* a mount namespace to enter the root in; -1: none */
	int netns;     /* that the instance has already; -1: none */
	int pool;      /* a mount to attach (message.h); -1: none */
	int out, errs; /* write ends of the server's stdout and stderr */
	int server_groups[START_CGROUPS_MAX];
	int host_groups[START_CGROUPS_MAX];
	int sources[PLAN_SOURCES_MAX]; /* of the host, for the root */
	int proc;		       /* of its network, while that is set up; -1: none */
};

/*
 * Runs in the new namespaces as their first process and never returns: it exits when the channel
 * closes, and the kernel then kills every process of the instance.
 */
void init_run(struct init *init) __attribute__((noreturn));

struct early;
struct spawn;

/*
 * Makes the inside, and the server's process ahead of its time (early.h) if there can be one.
 * In init, once.
 */
int init_set_up(struct init *init, const struct spawn *spawn, struct early *ret_early,
		struct error *err);

/*
 * Gives up what it takes to make an inside, once that is there. In init, and in the process that
 * is to be the server.
 */
int init_give_up(struct init *init, struct error *err);

/* Makes the network, or enters the one that is there; while the host's /proc is in place. */
int init_enter_network(struct init *init, struct error *err);

#endif
