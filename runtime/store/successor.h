/* SPDX-License-Identifier: Apache-2.0 */
/* The rows behind succession.h; private to this folder, inside the caller's transaction. */
#ifndef STORE_SUCCESSOR_H
#define STORE_SUCCESSOR_H

#include "store/db.h"
#include "store/store.h"

/*
 * ERROR_NOT_FOUND when the predecessor is gone, ERROR_REFUSED when it is being replaced already, or
 * is itself about to take another one's place.
 */
int successor_check(struct store *store, const char *predecessor, struct error *err);

/* "next.ID": what it is called until it has the other's name. */
void successor_name(const char *id, char name[INSTANCE_NAME_MAX + 1]);

/* In place of record_insert, for one that has no place yet. */
int successor_insert(struct store *store, const struct record *record, const char *predecessor,
		     struct error *err);

/* An instance is removed: whatever of a succession ends with that. */
int successor_forget(struct store *store, const char *id, struct error *err);

#endif
