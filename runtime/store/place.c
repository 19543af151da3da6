/* SPDX-License-Identifier: Apache-2.0 */
/* Names and published ports that somebody has; see place.h. */
#include "store/place.h"

#include <errno.h>

/* 1 when there is an instance of that name; *statement then stands on its owner. */
static int find_name(struct store *store, const char *name, sqlite3_stmt **statement,
		     struct error *err)
{
	static const char query[] = "SELECT owner FROM instance WHERE name = ?1 UNION ALL"
				    " SELECT owner FROM succession JOIN instance ON id = successor"
				    " WHERE succession.name = ?1 AND NOT done";
	int r = db_prepare(store, query, statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(*statement, 1, name, -1, SQLITE_STATIC);
	return db_step(store, *statement, err);
}

int store_name_taken(struct store *store, const char *name, bool *ret_taken, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = find_name(store, name, &statement, err);

	if (r < 0)
		return r;
	*ret_taken = r > 0;
	return 0;
}

int place_check_name(struct store *store, const char *name, bool discreet, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = find_name(store, name, &statement, err);
	const char *owner;

	if (r <= 0)
		return r;
	if (discreet)
		return error_say(err, ERROR_EXISTS, "the name '%s' is taken: choose another one",
				 name);
	owner = (const char *)sqlite3_column_text(statement, 0);
	return error_say(err, ERROR_EXISTS,
			 "the name '%s' is taken by an instance of '%s': choose another one, or "
			 "end that one with 'stint down %s'",
			 name, owner ? owner : "?", name);
}

int store_check_port(struct store *store, const char *address, uint16_t port, bool discreet,
		     struct error *err)
{
	static const char query[] = "SELECT i.name, i.owner FROM"
				    " (SELECT * FROM port UNION ALL SELECT * FROM future_port) p"
				    " JOIN instance i ON i.id = p.instance"
				    " WHERE p.host_address = ? AND p.host_port = ?"
				    " AND p.host_port <> 0";
	cleanup_statement sqlite3_stmt *statement = NULL;
	const char *name, *owner;
	int r = db_prepare(store, query, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, address, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 2, port);
	r = db_step(store, statement, err);
	if (r <= 0)
		return r;
	name = (const char *)sqlite3_column_text(statement, 0);
	owner = (const char *)sqlite3_column_text(statement, 1);
	if (discreet)
		error_say(err, ERROR_FAILED, "port %u of '%s' is already published", (unsigned)port,
			  address);
	else
		error_say(err, ERROR_FAILED,
			  "port %u of '%s' is already published by the instance '%s' of '%s'",
			  (unsigned)port, address, name ? name : "?", owner ? owner : "?");
	return error_with_code(err, -EADDRINUSE);
}

int place_check_ports(struct store *store, const struct grant *grant, bool discreet,
		      struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < grant->n_ports; i++)
		r = store_check_port(store, grant->ports[i].host_address, grant->ports[i].host_port,
				     discreet, err);
	return r;
}
