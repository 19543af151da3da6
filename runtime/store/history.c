/* SPDX-License-Identifier: Apache-2.0 */
/* What has ended: from the record to the history, and the history itself; see store.h. */
#include "base/text.h"
#include "store/db.h"
#include "store/record.h"
#include "store/row.h"
#include "store/store.h"

#define HISTORY_MAX 10000
#define LOG_PAGES_AT_END 100

static const struct field ending_fields[] = {
	FIELD(I64, struct ending, ended_ns),
	FIELD(CHARS, struct ending, reason),
	FIELD(INT, struct ending, exit_status),
	FIELD(INT, struct ending, exit_signal),
	FIELD(I64, struct ending, usage.ready_after_ns),
	FIELD(I64, struct ending, usage.restarts),
	FIELD(I64, struct ending, usage.memory_bytes),
	FIELD(I64, struct ending, usage.cpu_ns),
	FIELD(I64, struct ending, usage.disk_bytes),
	FIELD(I64, struct ending, usage.io_bytes),
	FIELD(CHARS, struct ending, usage.io_by),
	FIELD(I64, struct ending, usage.connections),
	FIELD(I64, struct ending, usage.bytes_in),
	FIELD(I64, struct ending, usage.bytes_out),
	FIELD(TEXT, struct ending, usage.log),
};

static const struct field entry_fields[] = {
	FIELD(TEXT, struct history_entry, id),
	FIELD(TEXT, struct history_entry, name),
	FIELD(TEXT, struct history_entry, template_name),
	FIELD(TEXT, struct history_entry, owner),
	FIELD(TEXT, struct history_entry, zone),
	FIELD(I64, struct history_entry, created_ns),
};

const struct ending ending_unknown = {
	.exit_status = -1,
	.usage = {.ready_after_ns = -1,
		  .restarts = -1,
		  .memory_bytes = -1,
		  .cpu_ns = -1,
		  .disk_bytes = -1,
		  .io_bytes = -1,
		  .connections = -1,
		  .bytes_in = -1,
		  .bytes_out = -1},
};

#define ENTRY_COLUMNS "id, name, template_name, owner, zone, created_ns"
#define ENDING_COLUMNS                                                                         \
	"ended_ns, reason, exit_status, exit_signal, ready_after_ns, restarts, memory_bytes, " \
	"cpu_ns, disk_bytes, io_bytes, io_by, connections, bytes_in, bytes_out, log"

static const char copy_instance[] =
	"INSERT INTO history (" ENTRY_COLUMNS ", owner_uid, " ENDING_COLUMNS ")"
	" SELECT id, coalesce((SELECT name FROM succession WHERE predecessor = ?1 AND done),"
	" (SELECT name FROM succession WHERE successor = ?1 AND NOT done), name),"
	" template_name, owner, zone, created_ns, owner_uid, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
	"?11, ?12, ?13,"
	" ?14, ?15, ?16 FROM instance WHERE id = ?1 AND kept_until_ns = 0";
static const char forget_oldest[] =
	"DELETE FROM history WHERE seq <= (SELECT max(seq) FROM history) - ?";
static const char select_history[] = "SELECT " ENTRY_COLUMNS ", " ENDING_COLUMNS " FROM history"
				     " WHERE (?1 IS NULL OR name = ?1 OR id = ?1)"
				     " AND (?3 IS NULL OR owner_uid = ?3)"
				     " ORDER BY seq DESC LIMIT ?2";
static const char prune[] = "DELETE FROM history WHERE ended_ns < ?1"
			    " OR seq NOT IN (SELECT seq FROM history ORDER BY seq DESC LIMIT ?2)";

/* Sets *ret_found to whether there was a record to copy. */
static int copy_to_history(struct store *store, const char *id, const struct ending *ending,
			   bool *ret_found, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, copy_instance, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
	row_bind(statement, 2, ending_fields, ARRAY_SIZE(ending_fields), ending);
	r = db_step(store, statement, err);
	if (r == 0)
		*ret_found = sqlite3_changes(store->db) > 0;
	return r;
}

/* Where pruning left gaps in seq, fewer stay. */
static int trim(struct store *store, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, forget_oldest, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_int(statement, 1, HISTORY_MAX);
	return db_step(store, statement, err);
}

/* What was kept has its entry since it ended. */
static int move_to_history(struct store *store, const char *id, const struct ending *ending,
			   struct error *err)
{
	bool found = false;
	int r = copy_to_history(store, id, ending, &found, err);

	if (r == 0)
		r = record_delete(store, id, err);
	return r == 0 && found ? trim(store, err) : r;
}

static int keep_record(struct store *store, const char *id, const struct ending *ending,
		       int64_t until_ns, struct error *err)
{
	bool found = false;
	int r = copy_to_history(store, id, ending, &found, err);

	if (r == 0)
		r = record_keep(store, id, until_ns, err);
	return r == 0 && found ? trim(store, err) : r;
}

int store_keep(struct store *store, const char *id, const struct ending *ending, int64_t until_ns,
	       struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, keep_record(store, id, ending, until_ns, err), err);
}

int store_finish(struct store *store, const char *id, const struct ending *ending,
		 struct error *err)
{
	int r = db_begin(store, err);

	if (r < 0)
		return r;
	r = db_end(store, move_to_history(store, id, ending, err), err);
	if (r == 0)
		db_shorten_log(store, LOG_PAGES_AT_END);
	return r;
}

int store_history(struct store *store, const char *name, const uid_t *owner, size_t limit,
		  struct history_entry **ret_entries, size_t *ret_count, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	struct history_entry *entries = NULL;
	size_t count = 0;
	int r = db_prepare(store, select_history, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 2, limit < HISTORY_MAX ? (int)limit : HISTORY_MAX);
	if (owner)
		sqlite3_bind_int64(statement, 3, *owner);
	while ((r = db_step(store, statement, err)) > 0) {
		entries = xrealloc(entries, count + 1, sizeof(*entries));
		row_read(statement, 0, entry_fields, ARRAY_SIZE(entry_fields), &entries[count]);
		row_read(statement, ARRAY_SIZE(entry_fields), ending_fields,
			 ARRAY_SIZE(ending_fields), &entries[count].ending);
		count++;
	}
	if (r < 0) {
		history_free(entries, count);
		return r;
	}
	*ret_entries = entries;
	*ret_count = count;
	return 0;
}

int store_prune(struct store *store, int64_t before_ns, size_t keep, size_t *ret_removed,
		struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, prune, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, before_ns);
	sqlite3_bind_int64(statement, 2, keep < HISTORY_MAX ? (sqlite3_int64)keep : -1);
	r = db_step(store, statement, err);
	if (r == 0)
		*ret_removed = (size_t)sqlite3_changes(store->db);
	return r;
}

void ending_deinit(struct ending *ending)
{
	free(ending->usage.log);
	ending->usage.log = NULL;
}

void history_free(struct history_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(entries[i].id);
		free(entries[i].name);
		free(entries[i].template_name);
		free(entries[i].owner);
		free(entries[i].zone);
		ending_deinit(&entries[i].ending);
	}
	free(entries);
}
