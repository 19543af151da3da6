/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what restricted callers may do (caller.h), for the program and its test. */
#ifndef CLI_POLICY_H
#define CLI_POLICY_H

#include <stdbool.h>

#define CALLER_GROUP "stint"

struct policy {
	const char *command;
	const char *allowed; /* options, separated by blanks */
	const char *refused; /* the others that the command has: somebody has thought of them */
};

extern const struct policy policies[]; /* ends with a NULL command */

/* option NULL: the command itself. */
bool policy_allows(const char *command, const char *option);

/* Whether the option is named at all; the program does not need that, the test does. */
bool policy_decides(const char *command, const char *option);

#endif
