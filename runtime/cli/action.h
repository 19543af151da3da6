/* SPDX-License-Identifier: Apache-2.0 */
/* The first operand of a command that has several actions, as "ls" of "stint zone ls". */
#ifndef CLI_ACTION_H
#define CLI_ACTION_H

#include "cli/command.h"

struct action {
	const char *name, *operands; /* " NAME PATH..." */
	size_t min, max;	     /* operands, the name of the action included */
	bool changes;		     /* not for restricted callers */
};

/*
 * Which of the n actions is meant: the first one is at *first, each other one stride bytes behind
 * the one before, because what belongs to it stands beside it. ERROR_USAGE for another word, with
 * the nearest one, or with that one's operands; ERROR_REFUSED when it is not for the caller.
 */
int action_choose(const struct invocation *invocation, const struct action *first, size_t stride,
		  size_t n, size_t *ret_chosen, struct error *err);

#define ACTION_CHOOSE(invocation, table, ret_chosen, err)                                   \
	action_choose(invocation, &(table)[0].about, sizeof((table)[0]), ARRAY_SIZE(table), \
		      ret_chosen, err)

#endif
