/* SPDX-License-Identifier: Apache-2.0 */
/* Successions; see succession.h. In commands. */
#include "store/succession.h"
#include "store/record.h"
#include "store/successor.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>

/* But for the bound, which is the successor's own. */
#define LEASE_COLUMNS                                                     \
	"lease_clock, lease_source, lease_deadline_ns, lease_length_ns, " \
	"lease_idle_ns, lease_idle_source, lease_frozen_ns"

/* A statement with up to three texts, which returns no row. */
static int run_with(struct store *store, const char *sql, const char *const *texts, size_t n,
		    struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, sql, &statement, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (sqlite3_bind_text(statement, (int)i + 1, texts[i], -1, SQLITE_STATIC) !=
		    SQLITE_OK)
			r = db_describe(store, err);
	return r < 0 ? r : db_step(store, statement, err);
}

/* 1 when the statement has a row for that text, which *ret_text (NULL: no matter) gets. */
static int find_text(struct store *store, const char *sql, const char *key, char **ret_text,
		     struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, sql, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	r = db_step(store, statement, err);
	if (r > 0 && ret_text)
		*ret_text = xstrdup((const char *)sqlite3_column_text(statement, 0));
	return r;
}

int successor_check(struct store *store, const char *predecessor, struct error *err)
{
	int r = find_text(store, "SELECT 1 FROM instance WHERE id = ? AND kept_until_ns = 0",
			  predecessor, NULL, err);

	if (r == 0)
		return error_say(err, ERROR_NOT_FOUND, "no instance '%s' that runs", predecessor);
	if (r > 0)
		r = find_text(store,
			      "SELECT 1 FROM succession WHERE predecessor = ?1"
			      " OR (successor = ?1 AND NOT done)",
			      predecessor, NULL, err);
	if (r > 0)
		return error_say(err, ERROR_REFUSED, "it is being replaced already");
	return r;
}

static int note_ports(struct store *store, const struct record *record, struct error *err)
{
	static const char sql[] = "INSERT INTO future_port VALUES (?, ?, ?, ?, ?, ?, ?)";
	const struct grant *grant = &record->grant;
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = grant->n_ports ? db_prepare(store, sql, &statement, err) : 0;

	for (size_t i = 0; r == 0 && i < grant->n_ports; i++) {
		const struct published_port *port = &grant->ports[i];

		sqlite3_reset(statement);
		sqlite3_bind_text(statement, 1, grant->id, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 2, (sqlite3_int64)i);
		sqlite3_bind_text(statement, 3, port->name, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 4, port->scheme, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 5, port->host_address, -1, SQLITE_STATIC);
		sqlite3_bind_int(statement, 6, port->host_port);
		sqlite3_bind_int(statement, 7, port->inside_port);
		r = db_step(store, statement, err);
	}
	return r;
}

void successor_name(const char *id, char name[INSTANCE_NAME_MAX + 1])
{
	snprintf(name, INSTANCE_NAME_MAX + 1, "next.%s", id);
}

int successor_insert(struct store *store, const struct record *record, const char *predecessor,
		     struct error *err)
{
	struct record view = *record;
	const char *const texts[] = {record->grant.id, predecessor};
	int r;

	successor_name(record->grant.id, view.grant.name);
	view.grant.n_ports = 0;
	r = record_insert(store, &view, err);
	if (r == 0)
		r = note_ports(store, record, err);
	if (r == 0)
		r = run_with(store,
			     "INSERT INTO succession"
			     " SELECT ?1, id, name, 0 FROM instance WHERE id = ?2",
			     texts, ARRAY_SIZE(texts), err);
	return r;
}

/* Of one that has taken the place, the predecessor's end is the end of the story. */
int successor_forget(struct store *store, const char *id, struct error *err)
{
	int r = run_with(store, "DELETE FROM future_port WHERE instance = ?", &id, 1, err);

	return r < 0 ? r
		     : run_with(store,
				"DELETE FROM succession WHERE (successor = ?1 AND NOT done)"
				" OR (predecessor = ?1 AND done)",
				&id, 1, err);
}

/* ?1 is the successor, ?2 its predecessor, ?3 the name. */
static int hand_over(struct store *store, const char *const texts[3], struct error *err)
{
	static const char *const statements[] = {
		"UPDATE instance SET name = 'old.' || id WHERE id = ?2",
		("UPDATE instance SET (" LEASE_COLUMNS ") = (SELECT " LEASE_COLUMNS
		 " FROM instance WHERE id = ?2) WHERE id = ?1"
		 " AND EXISTS (SELECT 1 FROM instance WHERE id = ?2)"),
		"UPDATE instance SET name = ?3 WHERE id = ?1",
		"DELETE FROM port WHERE instance = ?2",
		"INSERT INTO port SELECT * FROM future_port WHERE instance = ?1",
		"DELETE FROM future_port WHERE instance = ?1",
		"UPDATE succession SET done = 1 WHERE successor = ?1",
		/* one that is gone already ends nothing any more */
		("DELETE FROM succession WHERE successor = ?1"
		 " AND NOT EXISTS (SELECT 1 FROM instance WHERE id = ?2)"),
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(statements); i++) {
		cleanup_statement sqlite3_stmt *statement = NULL;

		r = db_prepare(store, statements[i], &statement, err);
		/* not every statement has all of them: SQLITE_RANGE is no matter */
		for (int j = 0; r == 0 && j < 3; j++)
			(void)sqlite3_bind_text(statement, j + 1, texts[j], -1, SQLITE_STATIC);
		if (r == 0)
			r = db_step(store, statement, err);
	}
	return r;
}

static int succeed(struct store *store, const char *successor, struct error *err)
{
	cleanup_free char *predecessor = NULL, *name = NULL;
	int r = find_text(store, "SELECT predecessor FROM succession WHERE successor = ?",
			  successor, &predecessor, err);

	if (r > 0)
		r = find_text(store, "SELECT name FROM succession WHERE successor = ? AND NOT done",
			      successor, &name, err);
	if (r > 0) {
		const char *const texts[] = {successor, predecessor, name};

		return hand_over(store, texts, err);
	}
	if (r == 0 && !predecessor)
		return error_say(err, ERROR_NOT_FOUND, "'%s' takes nobody's place", successor);
	return r;
}

int store_succeed(struct store *store, const char *successor, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, succeed(store, successor, err), err);
}

int store_succession_list(struct store *store, struct succession **ret_list, size_t *ret_n,
			  struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	struct succession *list = NULL;
	size_t n = 0;
	int r = db_prepare(store, "SELECT successor, predecessor, name, done FROM succession",
			   &statement, err);

	while (r >= 0 && (r = db_step(store, statement, err)) > 0) {
		list = xrealloc(list, n + 1, sizeof(*list));
		list[n++] = (struct succession){
			.successor = xstrdup((const char *)sqlite3_column_text(statement, 0)),
			.predecessor = xstrdup((const char *)sqlite3_column_text(statement, 1)),
			.name = xstrdup((const char *)sqlite3_column_text(statement, 2)),
			.done = sqlite3_column_int(statement, 3),
		};
	}
	if (r < 0) {
		succession_list_free(list, n);
		return r;
	}
	*ret_list = list;
	*ret_n = n;
	return 0;
}

void succession_list_free(struct succession *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].successor);
		free(list[i].predecessor);
		free(list[i].name);
	}
	free(list);
}
