/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the instances of everybody may have of the host together. Private to this folder; inside
 * the transaction that admits an instance.
 */
#ifndef STORE_BUDGET_H
#define STORE_BUDGET_H

#include "store/db.h"
#include "store/store.h"

/*
 * ERROR_REFUSED, with the figures and what would free room: -ENOSPC when there is none now, -EPERM
 * when there never will be.
 */
int budget_check(struct store *store, const struct record *record,
		 const struct admission *admission, struct error *err);

#endif
