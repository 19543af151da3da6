/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of runtime/instance/diff: an install and the directories of an overlay on it. */
#ifndef TESTS_DIFF_RIG_H
#define TESTS_DIFF_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct world {
	char path[64];
	int top; /* lower, upper, work, at */
};

int world_setup(void **state);
int world_teardown(void **state);

/* Runs the script there; it must not fail. */
void shell(const char *directory, const char *script);

/* The lines of "stint diff" for an install seen at /i, in one string, or the error's text. */
char *diff_text(const struct world *world);

#endif
