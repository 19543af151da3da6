/* SPDX-License-Identifier: Apache-2.0 */
/* The quota of one owner. Private to this folder; inside the transaction that admits an instance.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "store/db.h"
#include "store/store.h"

/*
 * ERROR_REFUSED when the record's owner would have more than his quota, with what and how much:
 * -EDQUOT when an end of another instance of his would help, -EPERM when nothing would.
 */
int quota_check(struct store *store, const struct record *record, const struct admission *admission,
		struct error *err);

#endif
