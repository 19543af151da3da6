/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that each belong to one instance while it lives: addresses and ranges of ids. Private to
 * this folder; inside the transaction that admits the instance.
 */
#ifndef STORE_POOL_H
#define STORE_POOL_H

#include "store/db.h"
#include "store/store.h"

/*
 * The next free address, and the first id of the next free range; -EADDRNOTAVAIL (kind
 * ERROR_REFUSED), with what would free one, when all are taken.
 */
int take_address(struct store *store, const struct record *record,
		 const struct admission *admission, uint32_t *ret_address, struct error *err);
int take_id_range(struct store *store, const struct record *record,
		  const struct admission *admission, uint32_t *ret_base, struct error *err);

#endif
