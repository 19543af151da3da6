/* SPDX-License-Identifier: Apache-2.0 */
/* Records <-> rows; see record.h, and store.h for the record itself. */
#include "store/record.h"
#include "base/text.h"
#include "store/pins.h"
#include "store/row.h"
#include "store/spare.h"
#include "store/successor.h"

/* In the order of the columns that the statements below name. */
static const struct field record_fields[] = {
	FIELD(CHARS, struct record, grant.id),	    FIELD(CHARS, struct record, grant.name),
	FIELD(U32, struct record, grant.owner_uid), FIELD(U32, struct record, grant.owner_gid),
	FIELD(TEXT, struct record, grant.owner),    FIELD(BOOL, struct record, grant.hold),
	FIELD(TEXT, struct record, template_name),  FIELD(TEXT, struct record, boot_id),
	FIELD(I64, struct record, created_ns),	    FIELD(TEXT, struct record, plan),
	FIELD(LIST, struct record, layers),	    FIELD(TEXT, struct record, cgroup),
	FIELD(U32, struct record, address),	    FIELD(U32, struct record, id_base),
	FIELD(I64, struct record, disk_bytes),	    FIELD(TEXT, struct record, disk),
	FIELD(I64, struct record, memory_bytes),    FIELD(I64, struct record, cpu_millis),
	FIELD(TEXT, struct record, zone),	    FIELD(CHARS, struct record, address6),
	FIELD(TEXT, struct record, ha_group),	    FIELD(U32, struct record, on_expiry),
	FIELD(I64, struct record, keep_failed_ns),  FIELD(I64, struct record, kept_until_ns),
	FIELD(LIST, struct record, lowers),	    FIELD(LIST, struct record, after_end),
	FIELD(LIST, struct record, harvest),	    FIELD(LIST, struct record, above),
	FIELD(U32, struct record, tainted),
};

static const struct field lease_fields[] = {
	FIELD(U32, struct lease, clock),       FIELD(U32, struct lease, source),
	FIELD(I64, struct lease, deadline_ns), FIELD(I64, struct lease, length_ns),
	FIELD(I64, struct lease, max_ns),      FIELD(I64, struct lease, idle_ns),
	FIELD(U32, struct lease, idle_source), FIELD(I64, struct lease, frozen_ns),
};

static const struct field port_fields[] = {
	FIELD(TEXT, struct published_port, name),
	FIELD(TEXT, struct published_port, scheme),
	FIELD(CHARS, struct published_port, host_address),
	FIELD(U16, struct published_port, host_port),
	FIELD(U16, struct published_port, inside_port),
};

#define RECORD_COLUMNS                                                                            \
	"id, name, owner_uid, owner_gid, owner, hold, template_name, boot_id, created_ns, plan, " \
	"layers, cgroup, address, id_base, disk_bytes, disk, memory_bytes, cpu_millis, zone, "    \
	"address6, ha_group, on_expiry, keep_failed_ns, kept_until_ns, lowers, "                  \
	"after_end, harvest, above, tainted"
#define LEASE_COLUMNS                                                                   \
	"lease_clock, lease_source, lease_deadline_ns, lease_length_ns, lease_max_ns, " \
	"lease_idle_ns, lease_idle_source, lease_frozen_ns"
#define PORT_COLUMNS "name, scheme, host_address, host_port, inside_port"

static const char insert_instance[] =
	"INSERT INTO instance (" RECORD_COLUMNS ", " LEASE_COLUMNS ")"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	" ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
static const char insert_port[] =
	"INSERT INTO port (instance, position, " PORT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)";
static const char select_instances[] =
	"SELECT " RECORD_COLUMNS ", " LEASE_COLUMNS " FROM instance ";
static const char select_ports[] =
	"SELECT " PORT_COLUMNS " FROM port WHERE instance = ? ORDER BY position";
static const char set_lease[] =
	"UPDATE instance SET (" LEASE_COLUMNS ") = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) WHERE id = ?1";
static const char delete_ports[] = "DELETE FROM port WHERE instance = ?";
static const char delete_pins[] = "DELETE FROM pin WHERE instance = ?";
static const char delete_taints[] = "DELETE FROM taint WHERE instance = ?";
static const char delete_instance[] = "DELETE FROM instance WHERE id = ?";

/* Runs a statement that returns no row, unless one of its parameters could not be bound. */
static int run_bound(struct store *store, sqlite3_stmt *statement, int bound, struct error *err)
{
	return bound == SQLITE_OK ? db_step(store, statement, err) : db_describe(store, err);
}

int record_insert_ports(struct store *store, const struct grant *grant, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = 0;

	if (grant->n_ports)
		r = db_prepare(store, insert_port, &statement, err);
	for (size_t i = 0; r == 0 && i < grant->n_ports; i++) {
		sqlite3_reset(statement);
		sqlite3_bind_text(statement, 1, grant->id, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 2, (sqlite3_int64)i);
		r = run_bound(store, statement,
			      row_bind(statement, 3, port_fields, ARRAY_SIZE(port_fields),
				       &grant->ports[i]),
			      err);
	}
	return r;
}

int record_insert(struct store *store, const struct record *record, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, insert_instance, &statement, err), bound;

	if (r < 0)
		return r;
	bound = row_bind(statement, 1, record_fields, ARRAY_SIZE(record_fields), record);
	if (bound == SQLITE_OK)
		bound = row_bind(statement, 1 + ARRAY_SIZE(record_fields), lease_fields,
				 ARRAY_SIZE(lease_fields), &record->grant.lease);
	r = run_bound(store, statement, bound, err);
	if (r == 0)
		r = record_insert_ports(store, &record->grant, err);
	return r < 0 ? r : pins_insert(store, record, err);
}

static int run_with_id(struct store *store, const char *sql, const char *id, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, sql, &statement, err);

	if (r < 0)
		return r;
	return run_bound(store, statement, sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC),
			 err);
}

int record_keep(struct store *store, const char *id, int64_t until_ns, struct error *err)
{
	static const char *const statements[] = {
		delete_ports,
		"UPDATE instance SET kept_until_ns = ?2, memory_bytes = 0, cpu_millis = 0,"
		" ha_group = NULL WHERE id = ?1",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(statements); i++) {
		cleanup_statement sqlite3_stmt *statement = NULL;

		r = db_prepare(store, statements[i], &statement, err);
		if (r < 0)
			break;
		sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 2, until_ns);
		r = db_step(store, statement, err);
	}
	return r;
}

int record_delete(struct store *store, const char *id, struct error *err)
{
	int r = run_with_id(store, delete_ports, id, err);

	if (r == 0)
		r = run_with_id(store, delete_pins, id, err);
	if (r == 0)
		r = run_with_id(store, delete_taints, id, err);
	if (r == 0)
		r = successor_forget(store, id, err);
	if (r == 0)
		r = spare_forget(store, id, err);
	return r < 0 ? r : run_with_id(store, delete_instance, id, err);
}

int record_update_lease(struct store *store, const char *id, const struct lease *lease,
			bool *ret_found, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, set_lease, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
	r = run_bound(store, statement,
		      row_bind(statement, 2, lease_fields, ARRAY_SIZE(lease_fields), lease), err);
	if (r == 0)
		*ret_found = sqlite3_changes(store->db) > 0;
	return r;
}

int record_reader_init(struct record_reader *reader, struct store *store, const char *condition,
		       const char *key, struct error *err)
{
	cleanup_free char *sql = xasprintf("%s%s", select_instances, condition);
	int r;

	reader->store = store;
	r = db_prepare(store, sql, &reader->instances, err);
	if (r == 0)
		r = db_prepare(store, select_ports, &reader->ports, err);
	if (r == 0 && key &&
	    sqlite3_bind_text(reader->instances, 1, key, -1, SQLITE_STATIC) != SQLITE_OK)
		r = db_describe(store, err);
	return r;
}

static int read_ports(struct record_reader *reader, struct grant *grant, struct error *err)
{
	int r;

	sqlite3_reset(reader->ports);
	sqlite3_bind_text(reader->ports, 1, grant->id, -1, SQLITE_STATIC);
	while ((r = db_step(reader->store, reader->ports, err)) > 0) {
		grant->ports = xrealloc(grant->ports, grant->n_ports + 1, sizeof(*grant->ports));
		row_read(reader->ports, 0, port_fields, ARRAY_SIZE(port_fields),
			 &grant->ports[grant->n_ports++]);
	}
	return r;
}

/*
 * The ports are read while the statement of the instances is still under way: that one holds the
 * read transaction, so both see the same state.
 */
int record_reader_next(struct record_reader *reader, struct record **ret_record, struct error *err)
{
	cleanup_record struct record *record = NULL;
	int r = db_step(reader->store, reader->instances, err);

	if (r <= 0)
		return r;
	record = xcalloc(1, sizeof(*record));
	row_read(reader->instances, 0, record_fields, ARRAY_SIZE(record_fields), record);
	row_read(reader->instances, ARRAY_SIZE(record_fields), lease_fields,
		 ARRAY_SIZE(lease_fields), &record->grant.lease);
	r = read_ports(reader, &record->grant, err);
	if (r < 0)
		return r;
	*ret_record = steal_ptr(record);
	return 1;
}

void record_reader_deinit(struct record_reader *reader)
{
	db_finalize(&reader->instances);
	db_finalize(&reader->ports);
}

void record_free(struct record *record)
{
	if (!record)
		return;
	grant_deinit(&record->grant);
	free(record->template_name);
	free(record->boot_id);
	free(record->plan);
	strv_free(record->layers);
	strv_free(record->lowers);
	strv_free(record->harvest);
	strv_free(record->above);
	strv_free(record->after_end);
	free(record->cgroup);
	free(record->disk);
	free(record->zone);
	free(record->ha_group);
	free(record);
}

void record_cleanup(struct record **record)
{
	record_free(*record);
	*record = NULL;
}

void record_list_free(struct record **records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		record_free(records[i]);
	free(records);
}
