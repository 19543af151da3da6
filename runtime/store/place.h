/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nobody else may have: an instance's name and its published ports. Private to this folder;
 * inside the transaction that gives them out.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "store/db.h"
#include "store/store.h"

/* ERROR_EXISTS when it is taken; discreet: without saying by whom. */
int place_check_name(struct store *store, const char *name, bool discreet, struct error *err);

/* -EADDRINUSE (ERROR_FAILED) when one of the grant's ports is another instance's. */
int place_check_ports(struct store *store, const struct grant *grant, bool discreet,
		      struct error *err);

#endif
