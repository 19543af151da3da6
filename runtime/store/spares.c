/* SPDX-License-Identifier: Apache-2.0 */
/* Pools and their figures; see spares.h. In commands. */
#include "store/spares.h"
#include "base/text.h"
#include "store/db.h"
#include "store/row.h"

#include <stdlib.h>

static const struct field pool_fields[] = {
	FIELD(TEXT, struct pool, template_name), FIELD(TEXT, struct pool, zone),
	FIELD(TEXT, struct pool, source),	 FIELD(TEXT, struct pool, likeness),
	FIELD(U32, struct pool, size),		 FIELD(I64, struct pool, max_age_ns),
	FIELD(I64, struct pool, hits),		 FIELD(I64, struct pool, misses),
	FIELD(I64, struct pool, claim_ns),	 FIELD(I64, struct pool, starts),
	FIELD(I64, struct pool, ready_ns),	 FIELD(U32, struct pool, failures),
	FIELD(I64, struct pool, failed_ns),	 FIELD(TEXT, struct pool, error),
	FIELD(U32, struct pool, spares),	 FIELD(U32, struct pool, ready),
};

#define IS_OF " WHERE template_name = ?1 AND zone = ?2"

static const char select_pools[] =
	"SELECT template_name, zone, source, likeness, size, max_age_ns, hits, misses, claim_ns,"
	" starts, ready_ns, failures, failed_ns, error,"
	" (SELECT count(*) FROM spare s WHERE s.template_name = p.template_name"
	" AND s.zone = p.zone),"
	" (SELECT count(*) FROM spare s WHERE s.template_name = p.template_name"
	" AND s.zone = p.zone AND ready)"
	" FROM pool p WHERE (?1 IS NULL OR template_name = ?1) AND (?2 IS NULL OR zone = ?2)"
	" ORDER BY template_name, zone";

void pool_deinit(struct pool *pool)
{
	free(pool->template_name);
	free(pool->zone);
	free(pool->source);
	free(pool->likeness);
	free(pool->error);
	*pool = (struct pool){0};
}

void pool_list_free(struct pool *pools, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pool_deinit(&pools[i]);
	free(pools);
}

/* A statement whose first two parameters say which pool it is about. */
static int prepare(struct store *store, const char *sql, const char *template_name,
		   const char *zone, sqlite3_stmt **ret_statement, struct error *err)
{
	int r = db_prepare_text(store, sql, template_name, ret_statement, err);

	if (r == 0)
		sqlite3_bind_text(*ret_statement, 2, zone, -1, SQLITE_STATIC);
	return r;
}

static int list(struct store *store, const char *template_name, const char *zone,
		struct pool **ret_pools, size_t *ret_n, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	struct pool *pools = NULL;
	size_t n = 0;
	int r = prepare(store, select_pools, template_name, zone, &statement, err);

	while (r >= 0 && (r = db_step(store, statement, err)) > 0) {
		pools = xrealloc(pools, n + 1, sizeof(*pools));
		pools[n] = (struct pool){0};
		row_read(statement, 0, pool_fields, ARRAY_SIZE(pool_fields), &pools[n++]);
	}
	if (r < 0) {
		pool_list_free(pools, n);
		return r;
	}
	*ret_pools = pools;
	*ret_n = n;
	return 0;
}

int store_pool_list(struct store *store, struct pool **ret_pools, size_t *ret_n, struct error *err)
{
	return list(store, NULL, NULL, ret_pools, ret_n, err);
}

int store_pool_find(struct store *store, const char *template_name, const char *zone,
		    struct pool *ret_pool, struct error *err)
{
	struct pool *pools = NULL;
	size_t n = 0;
	int r = list(store, template_name, zone, &pools, &n, err);

	if (r < 0)
		return r;
	if (n > 0)
		*ret_pool = pools[0];
	free(pools);
	return n > 0;
}

static int set_pool(struct store *store, const struct pool *pool, struct error *err)
{
	static const char sql[] =
		"INSERT INTO pool (template_name, zone, source, size, max_age_ns)"
		" VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET source = ?3, size = ?4,"
		" max_age_ns = ?5, failures = 0, failed_ns = 0, error = NULL";
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = prepare(store, sql, pool->template_name, pool->zone, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 3, pool->source, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, pool->size);
	sqlite3_bind_int64(statement, 5, pool->max_age_ns);
	return db_step(store, statement, err);
}

int store_pool_set(struct store *store, const struct pool *pool, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_begin(store, err);

	if (r < 0)
		return r;
	r = prepare(store, "UPDATE spare SET ready = 0" IS_OF, pool->template_name, pool->zone,
		    &statement, err);
	if (r == 0)
		r = db_step(store, statement, err);
	db_finalize(&statement);
	return db_end(store, r < 0 ? r : set_pool(store, pool, err), err);
}

static int remove_pool(struct store *store, const char *template_name, const char *zone,
		       struct error *err)
{
	static const char *const statements[] = {"DELETE FROM spare" IS_OF,
						 "DELETE FROM pool" IS_OF};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(statements); i++) {
		cleanup_statement sqlite3_stmt *statement = NULL;

		r = prepare(store, statements[i], template_name, zone, &statement, err);
		if (r == 0)
			r = db_step(store, statement, err);
	}
	if (r == 0 && sqlite3_changes(store->db) == 0)
		return error_say(err, ERROR_NOT_FOUND, "no pool of '%s' in the zone '%s'",
				 template_name, zone);
	return r;
}

int store_pool_remove(struct store *store, const char *template_name, const char *zone,
		      struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, remove_pool(store, template_name, zone, err), err);
}

int store_pool_liken(struct store *store, const struct pool *pool, const char *likeness,
		     struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = prepare(store, "UPDATE pool SET likeness = ?3" IS_OF, pool->template_name,
			pool->zone, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 3, likeness, -1, SQLITE_STATIC);
	return db_step(store, statement, err);
}

int store_pool_note_failure(struct store *store, const struct pool *pool, int64_t when_ns,
			    const char *error, struct error *err)
{
	static const char sql[] =
		"UPDATE pool SET failed_ns = ?3, error = ?4,"
		" failures = CASE WHEN ?4 IS NULL THEN 0 ELSE failures + 1 END" IS_OF;
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = prepare(store, sql, pool->template_name, pool->zone, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 3, error ? when_ns : 0);
	sqlite3_bind_text(statement, 4, error, -1, SQLITE_STATIC);
	return db_step(store, statement, err);
}

int store_pool_note_use(struct store *store, const char *template_name, const char *zone,
			int64_t took_ns, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = prepare(store,
			took_ns < 0 ? "UPDATE pool SET misses = misses + 1" IS_OF
				    : "UPDATE pool SET claim_ns = claim_ns + ?3" IS_OF,
			template_name, zone, &statement, err);

	if (r < 0)
		return r;
	if (took_ns >= 0)
		sqlite3_bind_int64(statement, 3, took_ns);
	return db_step(store, statement, err);
}
