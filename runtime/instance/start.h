/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the start that have a file of their own; only for runtime/instance. */
#ifndef INSTANCE_START_H
#define INSTANCE_START_H

#include "instance/content.h"
#include "instance/instance.h"
#include "instance/network.h"
#include "instance/steps.h"

/* 8 lower-case hexadecimal digits, and so no way out of a directory. */
bool is_id(const char *text);

/*
 * A random id: 8 lower-case hexadecimal digits, the first of them a letter. The id is the host name
 * inside, and one of digits only would be read as an IPv4 address (inet_aton(3)).
 */
void make_id(char id[INSTANCE_ID_LENGTH + 1]);

/* "tomcat-heron"; from the eighth attempt on with a number behind. */
void make_name(const char *template_name, unsigned attempt, char name[INSTANCE_NAME_MAX + 1]);

/* What the keeper gets. */
struct launch {
	const struct site *site;
	const struct plan *plan;
	const struct record *record;
	const struct account *account; /* the server's */
	char *const *paths;
	char *const *lowers; /* all that the views of its install directories lie on, in no order */
	const struct content *content;
	const struct prepared *prepared;
	const struct network *network;
	const int *listeners; /* one per published port */
	bool spare;	      /* is frozen once it is ready */
	bool reserved;	      /* which are another instance's until it takes them */
	int empty;	      /* a mount namespace with nothing in it (empty.h); -1: none */
	int lock;
	/* connection to the keeper that has the two above and is to be succeeded; -1: none */
	int predecessor;
};

/*
 * Fills ret_ops, which the caller ends also after a failure, and makes what of it lies in the pool,
 * unless a successor does.
 */
int launch_compile_root(const struct launch *launch, struct root_ops *ret_ops, struct error *err);

/*
 * Starts the keeper in a session, groups, environment and working directory of its own. Returns
 * the tie connection in *ret_tie and the child in *ret_pid.
 */
int launch_keeper(const struct launch *launch, int *ret_tie, pid_t *ret_pid, struct error *err);

#endif
