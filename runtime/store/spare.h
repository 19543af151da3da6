/* SPDX-License-Identifier: Apache-2.0 */
/* The rows behind spares.h; private to this folder, inside the caller's transaction. */
#ifndef STORE_SPARE_H
#define STORE_SPARE_H

#include "store/db.h"
#include "store/store.h"

#define SPARE_PREFIX "spare."

/* SPARE_PREFIX and the id: what it is called until it is claimed. */
void spare_name(const char *id, char name[INSTANCE_NAME_MAX + 1]);

/* Enters it in its pool. ERROR_REFUSED when that has enough of them, or is gone. */
int spare_insert(struct store *store, const struct record *record, const char *likeness,
		 struct error *err);

/* An instance is removed, a spare or not. */
int spare_forget(struct store *store, const char *id, struct error *err);

#endif
