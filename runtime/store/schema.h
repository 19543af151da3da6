/* SPDX-License-Identifier: Apache-2.0 */
/* The tables, and how a database comes to have them. Private to this folder. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/db.h"

/* PRAGMA user_version of a database that has all tables; 0: a new, empty file. */
#define SCHEMA_VERSION 13

/*
 * Settles the handle's settings, and makes the tables, or what an older stint's lack. Processes
 * that do this at the same moment wait for one another. A database of a newer stint is an error.
 */
int schema_prepare(struct store *store, struct error *err);

#endif
