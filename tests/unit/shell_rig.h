/* SPDX-License-Identifier: Apache-2.0 */
/* Small shell scripts, for tests that make trees of files and look at them. */
#ifndef TESTS_SHELL_RIG_H
#define TESTS_SHELL_RIG_H

/* Runs the script in the directory, with umask 022. Returns its exit status, or 255. */
int shell_status(const char *directory, const char *script);

/* What the script writes, also to stderr, without the newline at the end. The caller frees. */
char *shell_output(const char *directory, const char *script);

#endif
