/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which generations instances were started on, as a table, so that nothing of them is removed.
 * Private to this folder; inside the transaction that writes or removes the record.
 */
#ifndef STORE_PINS_H
#define STORE_PINS_H

#include "store/db.h"
#include "store/store.h"

/* Those that the record's lowers name. */
int pins_insert(struct store *store, const struct record *record, struct error *err);

#endif
