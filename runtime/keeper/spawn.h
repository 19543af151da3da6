/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a program inside, contained as the server is; in init only. */
#ifndef KEEPER_SPAWN_H
#define KEEPER_SPAWN_H

#include "base/error.h"
#include "confine/inside.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct spawn {
	char *const *argv;
	char *const *env;
	const char *directory; /* NULL: "/" */
	const char *file;      /* gets argv[0], in place of executing it; NULL: argv is executed */
	struct confinement confinement;
	int stdio[3];	    /* -1: /dev/null */
	bool terminal;	    /* stdio[0] is a terminal, to become the controlling one */
	const int *cgroups; /* to join */
	size_t n_cgroups;
	uint64_t files_limit; /* RLIMIT_NOFILE; 0: the default */
};

/*
 * A process that is on its way to its program. It has the server's ids before it has executed, so
 * that what runs inside can stop it there, for good: nobody waits for it without a bound.
 */
struct spawned {
	pid_t pid;
	int report; /* a pipe's end: readable when there is something to learn */
};

/* Forks; whether it executes is to be learnt. */
int spawn_begin(const struct spawn *spawn, struct spawned *ret_spawned, struct error *err);

/*
 * Whether it was executed: 1 when that is not known yet, 0 when it was, or a negative errno, and
 * err says what failed on which object ("command 'x' does not exist inside", ...). -ENOENT and
 * -EACCES tell a missing command from one that cannot be executed. The report is closed but with
 * 1. After a failure the process is dead or dies, and is the caller's to reap like any other.
 */
int spawn_learn(struct spawned *spawned, const char *name, struct error *err);

/* Ends one that was not executed in time. Returns a negative errno and says so, as above. */
int spawn_give_up(struct spawned *spawned, const char *name, int bound_s, struct error *err);

/*
 * For a child that was forked before it may execute: becomes the program, or tells the other end
 * of the pipe why not.
 */
void spawn_become(const struct spawn *spawn, int report) __attribute__((noreturn));
/* For a child that fails before. */
void spawn_fail(const struct error *told, int report) __attribute__((noreturn));

#endif
