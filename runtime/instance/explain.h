/* SPDX-License-Identifier: Apache-2.0 */
/* What a command inside was denied by its filter of system calls; see confine_apply. */
#ifndef INSTANCE_EXPLAIN_H
#define INSTANCE_EXPLAIN_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct denied_call {
	char *what;	 /* "socket(AF_ALG)" */
	const char *why; /* see filter_reason */
	int errnum;	 /* what it failed with */
	unsigned long count;
};

#define DENIED_CALLS_MAX 100 /* different ones, so that what runs inside fills no memory */

struct denied_calls {
	struct denied_call *list; /* in the order of their first time */
	size_t n;
	unsigned long others; /* for which there is no place in the list */
	bool heard;	      /* a command was started at all */
};

/*
 * Takes over a command's reports, which come over the socket, and answers each with what the filter
 * says, until no process with the filter is left or all other ends of the socket are closed.
 */
int explain_calls(int socket, struct denied_calls *ret_calls, struct error *err);
void denied_calls_deinit(struct denied_calls *calls);

#endif
