/* SPDX-License-Identifier: Apache-2.0 */
/* A command inside an instance, for all commands that run one. */
#ifndef CLI_EXEC_H
#define CLI_EXEC_H

#include "cli/command.h"

/*
 * Runs argv inside the instance of that name, with the invocation's user and env. With
 * explainer >= 0 what the filter denies is reported there (instance/explain.h). Returns the exit
 * code; what failed is printed.
 */
int execute_inside(const struct invocation *invocation, const char *name, char **argv,
		   int explainer);

/*
 * The same, and says at the end on stderr which system calls were denied, how often, with what
 * and why; with json on stdout, and then the command's standard output goes to stderr.
 */
int execute_observed(const struct invocation *invocation, const char *name, char **argv);

#endif
