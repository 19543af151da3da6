/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the table "generation". Private to this folder; inside the caller's transaction. */
#ifndef STORE_GENERATIONS_H
#define STORE_GENERATIONS_H

#include "store/db.h"
#include "store/installs.h"

int generation_insert(struct store *store, const char *install, const struct generation *generation,
		      struct error *err);

#endif
