/* SPDX-License-Identifier: Apache-2.0 */
/* What changed below instances; see taints.h. */
#include "store/taints.h"
#include "store/db.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

static const char select_on_live[] =
	"SELECT instance FROM pin JOIN instance ON instance.id = pin.instance"
	" WHERE pin.install = ? AND pin.number = 0 AND kept_until_ns = 0";
static const char select_live[] =
	"SELECT DISTINCT install FROM pin JOIN instance ON instance.id = pin.instance"
	" WHERE pin.number = 0 AND kept_until_ns = 0";
static const char count_live[] =
	"SELECT count(*), count(CASE WHEN instance.tainted > 0 THEN 1 END) FROM pin"
	" JOIN instance ON instance.id = pin.instance WHERE pin.install = ? AND pin.number = 0"
	" AND kept_until_ns = 0";
static const char count_named[] = "SELECT count(*) FROM taint WHERE instance = ?";
static const char select_named[] =
	"SELECT path, change FROM taint WHERE instance = ? ORDER BY path";
static const char insert_taint[] =
	"INSERT OR IGNORE INTO taint (instance, path, change) VALUES (?, ?, ?)";
static const char is_named[] = "SELECT 1 FROM taint WHERE instance = ?1 AND path = ?2";
static const char add_count[] = "UPDATE instance SET tainted = tainted + ?2 WHERE id = ?1";

void taint_list_deinit(struct taint_list *taints)
{
	for (size_t i = 0; i < taints->n; i++)
		free(taints->list[i].path);
	free(taints->list);
	*taints = (struct taint_list){0};
}

static int read_texts(struct store *store, const char *sql, const char *key, char ***ret_texts,
		      struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	cleanup_strv char **texts = strv_copy(NULL);
	int r = key ? db_prepare_text(store, sql, key, &statement, err)
		    : db_prepare(store, sql, &statement, err);

	while (r >= 0 && (r = db_step(store, statement, err)) > 0)
		strv_add(&texts, (const char *)sqlite3_column_text(statement, 0));
	if (r == 0)
		*ret_texts = steal_ptr(texts);
	return r;
}

static int count_names(struct store *store, const char *id, size_t *ret_n, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare_text(store, count_named, id, &statement, err);

	if (r == 0)
		r = db_step(store, statement, err);
	if (r > 0)
		*ret_n = (size_t)sqlite3_column_int64(statement, 0);
	return r < 0 ? r : 0;
}

/* One statement about a path of an instance. */
static int step_path(struct store *store, sqlite3_stmt *statement, const char *id,
		     const struct taint *taint, struct error *err)
{
	sqlite3_reset(statement);
	sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_blob(statement, 2, taint->path, (int)strlen(taint->path), SQLITE_STATIC);
	return db_step(store, statement, err);
}

/* *ret_new: those that were not named before; where there is no room they are counted alone. */
static int insert_names(struct store *store, const char *id, const struct taint_list *taints,
			size_t *ret_new, struct error *err)
{
	cleanup_statement sqlite3_stmt *insert = NULL, *find = NULL;
	size_t named = 0, fresh = 0;
	int r = count_names(store, id, &named, err);

	if (r == 0)
		r = db_prepare(store, insert_taint, &insert, err);
	if (r == 0)
		r = db_prepare(store, is_named, &find, err);
	for (size_t i = 0; r >= 0 && i < taints->n; i++) {
		r = step_path(store, find, id, &taints->list[i], err);
		if (r != 0)
			continue;
		fresh++;
		if (named++ >= TAINTS_NAMED_MAX)
			continue;
		sqlite3_reset(insert);
		sqlite3_bind_int64(insert, 3, taints->list[i].change);
		r = step_path(store, insert, id, &taints->list[i], err);
	}
	*ret_new = fresh;
	return r < 0 ? r : 0;
}

static int taint_one(struct store *store, const char *id, const struct taint_list *taints,
		     size_t *ret_new, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = insert_names(store, id, taints, ret_new, err);

	if (r == 0)
		r = db_prepare_text(store, add_count, id, &statement, err);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)*ret_new);
	return db_step(store, statement, err);
}

static int taint(struct store *store, const char *install, const struct taint_list *taints,
		 char ***ret_ids, struct error *err)
{
	cleanup_strv char **ids = NULL, **marked = strv_copy(NULL);
	int r = read_texts(store, select_on_live, install, &ids, err);

	for (size_t i = 0; r == 0 && ids[i]; i++) {
		size_t fresh = 0;

		r = taint_one(store, ids[i], taints, &fresh, err);
		if (r == 0 && fresh)
			strv_add(&marked, ids[i]);
	}
	if (r == 0)
		*ret_ids = steal_ptr(marked);
	return r;
}

int store_taint(struct store *store, const char *install, const struct taint_list *taints,
		char ***ret_ids, struct error *err)
{
	char **ids = NULL;
	int r = db_begin(store, err);

	if (r < 0)
		return r;
	r = db_end(store, taint(store, install, taints, &ids, err), err);
	if (r == 0)
		*ret_ids = ids;
	else
		strv_free(ids);
	return r;
}

int store_taints_load(struct store *store, const char *id, struct taint_list *ret_taints,
		      struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	struct taint_list taints = {0};
	int r = db_prepare_text(store, select_named, id, &statement, err);

	while (r >= 0 && (r = db_step(store, statement, err)) > 0) {
		const char *path = sqlite3_column_blob(statement, 0);
		int length = sqlite3_column_bytes(statement, 0);

		taints.list = xrealloc(taints.list, taints.n + 1, sizeof(*taints.list));
		taints.list[taints.n++] = (struct taint){
			.path = xasprintf("%.*s", path ? length : 0, path ? path : ""),
			.change = (unsigned)sqlite3_column_int64(statement, 1)};
	}
	if (r < 0)
		taint_list_deinit(&taints);
	else
		*ret_taints = taints;
	return r;
}

int store_live_installs(struct store *store, char ***ret_names, struct error *err)
{
	return read_texts(store, select_live, NULL, ret_names, err);
}

int store_live_count(struct store *store, const char *install, uint32_t *ret_instances,
		     uint32_t *ret_tainted, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare_text(store, count_live, install, &statement, err);

	if (r == 0)
		r = db_step(store, statement, err);
	if (r < 0)
		return r;
	*ret_instances = (uint32_t)sqlite3_column_int64(statement, 0);
	*ret_tainted = (uint32_t)sqlite3_column_int64(statement, 1);
	return 0;
}
