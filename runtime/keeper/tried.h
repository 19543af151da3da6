/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of the last attempt to find out whether the server is ready. Numbers only: the
 * forwarder tells the keeper of its attempts in these, and is not trusted with a text. The keeper
 * makes the words, from what the template said.
 */
#ifndef KEEPER_TRIED_H
#define KEEPER_TRIED_H

#include "plan/plan.h"

#include <stdbool.h>
#include <stdint.h>

enum tried_outcome {
	TRIED_NOTHING,
	/* of a connection or request: the forwarder's */
	TRIED_REFUSED,
	TRIED_ELSEWHERE,  /* the same, but the port is open on the instance's 127.0.0.1 */
	TRIED_UNANSWERED, /* given up */
	TRIED_CLOSED,	  /* before there was an answer */
	TRIED_NO_HTTP,	  /* an answer that is none */
	TRIED_STATUS,	  /* detail: the status code, which was not wanted */
	TRIED_ERROR,	  /* detail: errno */
	TRIED_OUTCOMES,
	/* of a command: the keeper's */
	TRIED_EXITED, /* detail: wait status */
	TRIED_NOT_EXECUTED,
};

struct tried {
	uint32_t outcome; /* enum tried_outcome */
	uint32_t check;	  /* which of plan_ready.checks */
	uint32_t detail;
};

struct start_message;

/* Whether that can be what came of an attempt of the forwarder's. */
bool tried_is_sane(const struct tried *tried, const struct plan_ready *ready);

/* Whether the server might get ready if it had more time. */
bool tried_may_change(const struct tried *tried);

/* In words, "" when nothing was tried; size bytes at most. */
void tried_describe(const struct tried *tried, const struct start_message *message, char *ret_text,
		    size_t size);

#endif
