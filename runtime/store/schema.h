/* SPDX-License-Identifier: Apache-2.0 */
/* The tables, and how a database comes to have them. Private to this folder. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/db.h"

/* PRAGMA user_version of a database that has all tables below; 0: a new, empty file. */
#define SCHEMA_VERSION 1

/*
 * Settles the handle's settings, and makes the tables when the database is new. Processes that do
 * this at the same moment wait for one another. A database of a newer stint is an error.
 */
int schema_prepare(struct store *store, struct error *err);

#endif
