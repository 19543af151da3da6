/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keeper alone knows of an instance at its end, for whoever undoes it: a file in the
 * instance's run directory, written once. A line for each number, "KEY NUMBER"; a reader passes
 * over keys that it does not know, so that versions can differ.
 */
#ifndef KEEPER_FACTS_H
#define KEEPER_FACTS_H

#include <stdint.h>

#define FACTS_FILE_NAME "facts"

/* -1: unknown. */
struct facts {
	int64_t connections, bytes_in, bytes_out; /* of all published ports */
	int64_t pool_bytes; /* in a pool that is a mount of its own, and gone with the keeper */
};

extern const struct facts facts_unknown;

/* 0 or a negative errno. */
int facts_write(int rundir, const struct facts *facts);
int facts_read(int rundir, struct facts *ret_facts);
/* The same of a file's content, whatever it is. */
void facts_parse(const char *text, struct facts *ret_facts);

#endif
