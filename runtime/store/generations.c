/* SPDX-License-Identifier: Apache-2.0 */
/* The generations of installs, and those on trial; see installs.h. */
#include "store/generations.h"
#include "store/installs.h"
#include "base/text.h"
#include "store/row.h"

#include <errno.h>
#include <string.h>

static const struct field generation_fields[] = {
	FIELD(U32, struct generation, number),	   FIELD(TEXT, struct generation, backend),
	FIELD(I64, struct generation, created_ns), FIELD(I64, struct generation, files),
	FIELD(I64, struct generation, bytes),
};
#define GENERATION_COLUMNS "number, backend, created_ns, files, bytes"

static const char insert_generation[] =
	"INSERT INTO generation (" GENERATION_COLUMNS ", install) VALUES (?, ?, ?, ?, ?, ?)";
static const char select_generations[] =
	"SELECT " GENERATION_COLUMNS ", (SELECT count(*) FROM pin WHERE pin.install ="
	" generation.install AND pin.number = generation.number) FROM generation"
	" WHERE install = ? ORDER BY number";
static const char set_newest[] =
	"UPDATE install SET newest = ?2, live = 0 WHERE name = ?1 AND newest = ?2 - 1";
static const char set_candidate[] =
	"UPDATE install SET candidate = ?2 WHERE name = ?1 AND newest = ?2 - 1";
static const char accept_candidate[] = "UPDATE install SET newest = ?2, live = 0, candidate = 0"
				       " WHERE name = ?1 AND candidate = ?2";
static const char select_candidates_pins[] =
	"SELECT instance FROM pin WHERE install = ?1"
	" AND number > (SELECT newest FROM install WHERE name = ?1)";
/* Replaced it was when the next one came. */
static const char prune_generations[] =
	"DELETE FROM generation WHERE install = ?1"
	" AND number < (SELECT newest FROM install WHERE name = ?1)"
	" AND NOT EXISTS (SELECT 1 FROM pin WHERE pin.install = ?1 AND pin.number ="
	" generation.number)"
	" AND (SELECT min(later.created_ns) FROM generation AS later WHERE later.install = ?1"
	" AND later.number > generation.number) < ?2";

void generation_list_free(struct generation *generations, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(generations[i].backend);
	free(generations);
}

int generation_insert(struct store *store, const char *install, const struct generation *generation,
		      struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, insert_generation, &statement, err);

	if (r < 0)
		return r;
	if (row_bind(statement, 1, generation_fields, ARRAY_SIZE(generation_fields), generation) !=
	    SQLITE_OK)
		return db_describe(store, err);
	sqlite3_bind_text(statement, 1 + ARRAY_SIZE(generation_fields), install, -1, SQLITE_STATIC);
	return db_step(store, statement, err);
}

/* One of the statements above that change the row of an install. */
static int put_number(struct store *store, const char *sql, const char *install, uint32_t number,
		      struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare_text(store, sql, install, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 2, number);
	r = db_step(store, statement, err);
	if (r == 0 && sqlite3_changes(store->db) == 0)
		return error_say(
			err, ERROR_NOT_FOUND,
			"the install '%s' was removed, or got another generation, meanwhile",
			install);
	return r;
}

static int add_generation(struct store *store, const char *sql, const char *install,
			  const struct generation *generation, struct error *err)
{
	int r = put_number(store, sql, install, generation->number, err);

	return r < 0 ? r : generation_insert(store, install, generation, err);
}

int store_generation_add(struct store *store, const char *install,
			 const struct generation *generation, struct error *err)
{
	int r = db_begin(store, err);

	if (r < 0)
		return r;
	return db_end(store, add_generation(store, set_newest, install, generation, err), err);
}

int store_candidate_add(struct store *store, const char *install,
			const struct generation *generation, struct error *err)
{
	int r = db_begin(store, err);

	if (r < 0)
		return r;
	return db_end(store, add_generation(store, set_candidate, install, generation, err), err);
}

int store_candidate_accept(struct store *store, const char *install, uint32_t number,
			   struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r
		     : db_end(store, put_number(store, accept_candidate, install, number, err),
			      err);
}

int store_candidate_instances(struct store *store, const char *install, char ***ret_ids,
			      struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	cleanup_strv char **ids = strv_copy(NULL);
	int r = db_prepare_text(store, select_candidates_pins, install, &statement, err);

	while (r >= 0 && (r = db_step(store, statement, err)) > 0)
		strv_add(&ids, (const char *)sqlite3_column_text(statement, 0));
	if (r == 0)
		*ret_ids = steal_ptr(ids);
	return r;
}

static int drop_candidate(struct store *store, const char *install, struct error *err)
{
	cleanup_strv char **ids = NULL;
	int r = store_candidate_instances(store, install, &ids, err);

	if (r == 0 && strv_length(ids) > 0) {
		error_say(err, ERROR_FAILED,
			  "the instance '%s' that tries a generation of '%s' is still there; "
			  "'stint sweep' ends it",
			  ids[0], install);
		return error_with_code(err, -EBUSY);
	}
	if (r == 0)
		r = db_run_text(store,
				"DELETE FROM generation WHERE install = ?1 AND number >"
				" (SELECT newest FROM install WHERE name = ?1)",
				install, err);
	return r < 0 ? r
		     : db_run_text(store, "UPDATE install SET candidate = 0 WHERE name = ?",
				   install, err);
}

int store_candidate_drop(struct store *store, const char *install, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, drop_candidate(store, install, err), err);
}

int store_generation_list(struct store *store, const char *install,
			  struct generation **ret_generations, size_t *ret_n, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	struct generation *generations = NULL, *one;
	size_t n = 0;
	int r = db_prepare_text(store, select_generations, install, &statement, err);

	while (r >= 0 && (r = db_step(store, statement, err)) > 0) {
		generations = xrealloc(generations, n + 1, sizeof(*generations));
		one = &generations[n++];
		*one = (struct generation){0};
		row_read(statement, 0, generation_fields, ARRAY_SIZE(generation_fields), one);
		one->instances =
			(uint32_t)sqlite3_column_int64(statement, ARRAY_SIZE(generation_fields));
	}
	if (r < 0) {
		generation_list_free(generations, n);
		return r;
	}
	*ret_generations = generations;
	*ret_n = n;
	return 0;
}

static int prune(struct store *store, const char *install, int64_t before_ns, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare_text(store, prune_generations, install, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 2, before_ns);
	return db_step(store, statement, err);
}

int store_generation_prune(struct store *store, const char *install, int64_t replaced_before_ns,
			   struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, prune(store, install, replaced_before_ns, err), err);
}
