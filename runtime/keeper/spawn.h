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
 * Forks and executes. Returns 0 only after execve succeeded; otherwise the child is gone and err
 * says what failed on which object ("command 'x' does not exist inside", ...). -ENOENT and -EACCES
 * tell a missing command from one that cannot be executed.
 */
int spawn_process(const struct spawn *spawn, pid_t *ret_pid, struct error *err);

/*
 * The two halves, for a child that was forked before it may execute. In the child: becomes the
 * program, or tells the other end of the pipe why not. In init: waits for either.
 */
void spawn_become(const struct spawn *spawn, int report) __attribute__((noreturn));
int spawn_await(int report, pid_t pid, const char *name, pid_t *ret_pid, struct error *err);
/* For a child that fails before. */
void spawn_fail(const struct error *told, int report) __attribute__((noreturn));

#endif
