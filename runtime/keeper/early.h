/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's process before it is the server. It is born into the server's group in version 2,
 * which only the host's root can have it be: a later move would wait for ten milliseconds
 * (cgroup/inside.h). While init gives up its rights it does the same, and then waits for its word.
 */
#ifndef KEEPER_EARLY_H
#define KEEPER_EARLY_H

#include "keeper/init.h"
#include "keeper/spawn.h"

struct early {
	pid_t pid;  /* 0: none */
	int word;   /* a pipe's end, for a byte that starts it */
	int report; /* see struct spawned */
};

/*
 * When all that it shares with init is there: the root, the network, the Landlock domain, without
 * which neither could signal the other. Before init leaves the host's user namespace and that of
 * groups. Where there is no group in version 2, or no way to be born there, there is no early
 * process either; none of that is an error.
 */
void early_make(struct init *init, const struct spawn *spawn, struct early *ret_early);
/* It goes on, as one of spawn_begin; there is no early process any more afterwards. */
struct spawned early_start(struct early *early);
/* It has ended; true when it was this one. */
bool early_lost(struct early *early, pid_t pid);

#endif
