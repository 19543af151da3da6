/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of runtime/instance/copy: one directory "host" and one that stands for the root
 * directory of an instance, "inside". Paths on the host are relative to "host".
 */
#ifndef TESTS_COPY_RIG_H
#define TESTS_COPY_RIG_H

#include "base/cleanup.h"
#include "base/text.h"
#include "instance/copy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct world {
	char path[64];
	int top, before; /* before: the working directory of the whole test */
	int root;	 /* "inside" */
	struct account person;
	int cancel;
	struct text complaints; /* one line each */
	uint64_t bytes;
	struct error err;
};

int world_setup(void **state);
int world_teardown(void **state);

int copy_out(struct world *world, const char *from, const char *to);
int copy_in(struct world *world, const char *from, const char *to);

/* Runs the script in the directory that holds "host" and "inside". */
void shell(const struct world *world, const char *script);

/* The same, and looks at what it writes, without the newline at the end. */
void expect_output(const struct world *world, const char *script, const char *expected);

#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

#endif
