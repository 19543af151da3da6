/* SPDX-License-Identifier: Apache-2.0 */
/* Another program, run to its end. */
#ifndef BASE_RUN_H
#define BASE_RUN_H

/*
 * Runs argv[0], looked up in PATH unless it has a slash, in the open directory (-1: where we are),
 * with no input, no output, no signal blocked and this environment: PATH, LC_ALL=C and what env has
 * beside (NULL: nothing). Killed, with -ECANCELED, once cancel (-1: never) is readable. 0, -EIO
 * when it failed, or why it could not be started.
 */
int run_quietly(char *const *argv, char *const *env, int directory, int cancel);

#endif
