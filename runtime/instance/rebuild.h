/* SPDX-License-Identifier: Apache-2.0 */
/* A new store from what is on the host, for "stint doctor --rebuild". */
#ifndef INSTANCE_REBUILD_H
#define INSTANCE_REBUILD_H

#include "instance/site.h"

struct rebuild_result {
	char *set_aside; /* where the damaged store lies now; NULL: it was sound */
	char **back;	 /* names of instances that are in the store again */
	char **lost;	 /* "ID: why", of those that cannot be known: a sweep ends them */
};

/*
 * A store that is damaged is set aside, never removed, and a new one made; a sound one stays. Then
 * each instance that it does not know, and that has left a copy of its record (record_file.h), is
 * entered as it was, with its zone; when the store is sound only those that live. The history is
 * not known from anywhere else. The caller ends ret_result with rebuild_result_deinit also after a
 * failure.
 */
int rebuild_store(const struct site *site, struct rebuild_result *ret_result, struct error *err);

/*
 * True when an instance that the store does not know lives, or is kept, and has been entered as
 * above: a store that was lost is no reason to end anything.
 */
bool rebuild_readmit(const struct site *site, const char *id);

void rebuild_result_deinit(struct rebuild_result *result);

#endif
