/* SPDX-License-Identifier: Apache-2.0 */
/* Zones; see zones.h. */
#include "store/zones.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "store/db.h"
#include "store/row.h"
#include "store/spare.h"
#include "store/spares.h"

#include <errno.h>
#include <string.h>

static const struct field zone_fields[] = {
	FIELD(TEXT, struct zone, name),	  FIELD(U32, struct zone, number),
	FIELD(TEXT, struct zone, tier),	  FIELD(BOOL, struct zone, peers),
	FIELD(TEXT, struct zone, egress), FIELD(TEXT, struct zone, dns),
};

#define ZONE_COLUMNS "name, number, tier, peers, egress, dns"

static const char insert_zone[] = "INSERT INTO zone (" ZONE_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?)";
static const char replace_zone[] =
	"INSERT OR REPLACE INTO zone (" ZONE_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?)";
static const char update_zone[] =
	"UPDATE zone SET (" ZONE_COLUMNS ") = (?1, ?2, ?3, ?4, ?5, ?6) WHERE name = ?1";
static const char delete_zone[] = "DELETE FROM zone WHERE name = ?";
static const char select_zones[] = "SELECT " ZONE_COLUMNS " FROM zone WHERE ?1 IS NULL OR name = ?1"
				   " ORDER BY name";
/* The lowest number that no zone has. */
static const char free_number[] =
	"SELECT min(number) + 1 FROM (SELECT 0 AS number UNION SELECT number FROM zone)"
	" WHERE number + 1 NOT IN (SELECT number FROM zone)";
static const char select_members[] = "SELECT count(*), min(name) FROM instance"
				     " WHERE zone = ? AND kept_until_ns = 0";

static const struct field member_fields[] = {
	FIELD(CHARS, struct zone_member, id),
	FIELD(CHARS, struct zone_member, name),
	FIELD(U32, struct zone_member, address),
	FIELD(CHARS, struct zone_member, address6),
};
static const char list_members[] = "SELECT id, name, address, address6 FROM instance"
				   " WHERE zone = ? AND kept_until_ns = 0 ORDER BY name";

static const char select_peer[] = "SELECT id, name, address, address6 FROM instance"
				  " WHERE zone = ? AND id <> ? AND kept_until_ns = 0 LIMIT 1";

static const char list_linked[] = "SELECT id FROM instance JOIN zone ON zone.name = instance.zone"
				  " WHERE kept_until_ns = 0 AND (peers <> 0 OR egress <> 'none')"
				  " ORDER BY instance.seq DESC LIMIT ?";

static const char count_addresses[] =
	"SELECT count(*) + count(nullif(address6, '')) FROM instance"
	" WHERE zone = ? AND kept_until_ns = 0 AND name NOT GLOB '" SPARE_PREFIX "*'";

static int write_zone(struct store *store, const char *sql, const struct zone *zone,
		      struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, sql, &statement, err);

	if (r < 0)
		return r;
	if (row_bind(statement, 1, zone_fields, ARRAY_SIZE(zone_fields), zone) != SQLITE_OK)
		return db_describe(store, err);
	return db_step(store, statement, err);
}

static int take_number(struct store *store, uint32_t *ret_number, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, free_number, &statement, err);

	if (r == 0)
		r = db_step(store, statement, err);
	if (r < 0)
		return r;
	*ret_number = (uint32_t)sqlite3_column_int64(statement, 0);
	if (*ret_number > ZONE_NUMBER_MAX)
		return error_say(err, ERROR_FAILED,
				 "there are %d zones already: remove one with "
				 "'stint zone rm NAME'",
				 ZONE_NUMBER_MAX);
	return 0;
}

/* 1 and the zone, 0 when there is none, or a negative errno. */
static int find(struct store *store, const char *name, struct zone *ret_zone, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, select_zones, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	r = db_step(store, statement, err);
	if (r > 0)
		row_read(statement, 0, zone_fields, ARRAY_SIZE(zone_fields), ret_zone);
	return r;
}

static int add(struct store *store, struct zone *zone, struct error *err)
{
	struct zone present = {0};
	int r = find(store, zone->name, &present, err);

	zone_deinit(&present);
	if (r > 0)
		return error_say(err, ERROR_EXISTS,
				 "there is a zone '%s' already: change it with 'stint zone set'",
				 zone->name);
	if (r == 0)
		r = take_number(store, &zone->number, err);
	return r < 0 ? r : write_zone(store, insert_zone, zone, err);
}

int store_zone_add(struct store *store, struct zone *zone, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, add(store, zone, err), err);
}

int store_zone_restore(struct store *store, const struct zone *zone, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, write_zone(store, replace_zone, zone, err), err);
}

static int say_missing(struct store *store, const char *name, struct error *err)
{
	cleanup_text struct text names = {0};
	struct zone *zones = NULL;
	size_t n = 0;

	if (store_zone_list(store, &zones, &n, err) < 0)
		return err ? err->code : -EIO;
	for (size_t i = 0; i < n && names.length < 200; i++)
		text_addf(&names, "%s%s", i ? ", " : "", zones[i].name);
	zone_list_free(zones, n);
	return error_say(err, ERROR_NOT_FOUND,
			 "no zone '%s'; there is %s, and 'stint zone add' makes another", name,
			 names.data ? names.data : "none");
}

int store_zone_load(struct store *store, const char *name, struct zone *ret_zone, struct error *err)
{
	int r = find(store, name, ret_zone, err);

	if (r == 0)
		return say_missing(store, name, err);
	return r < 0 ? r : 0;
}

static int set(struct store *store, const struct zone *zone, struct error *err)
{
	struct zone present = {0}, wanted = *zone;
	int r = store_zone_load(store, zone->name, &present, err);

	wanted.number = present.number;
	zone_deinit(&present);
	return r < 0 ? r : write_zone(store, update_zone, &wanted, err);
}

int store_zone_set(struct store *store, const struct zone *zone, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, set(store, zone, err), err);
}

static int refuse_members(struct store *store, const char *name, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, select_members, &statement, err);
	long long n;

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	r = db_step(store, statement, err);
	n = r > 0 ? sqlite3_column_int64(statement, 0) : 0;
	if (r < 0 || n == 0)
		return r < 0 ? r : 0;
	if (spare_is_name((const char *)sqlite3_column_text(statement, 1)))
		return error_say(
			err, ERROR_REFUSED,
			"the zone '%s' has %lld instance%s, spares among them: 'stint pool "
			"rm TEMPLATE --zone %s' ends those",
			name, n, plural((uint64_t)n), name);
	return error_say(err, ERROR_REFUSED,
			 "the zone '%s' has %lld instance%s, '%s' among them: end them first", name,
			 n, plural((uint64_t)n), sqlite3_column_text(statement, 1));
}

static int remove_zone(struct store *store, const char *name, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	struct zone present = {0};
	int r = store_zone_load(store, name, &present, err);

	zone_deinit(&present);
	if (r == 0)
		r = refuse_members(store, name, err);
	if (r == 0)
		r = db_prepare(store, delete_zone, &statement, err);
	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	return db_step(store, statement, err);
}

int store_zone_remove(struct store *store, const char *name, struct error *err)
{
	int r;

	if (strcmp(name, ZONE_DEFAULT) == 0)
		return error_say(err, ERROR_REFUSED,
				 "the zone '%s' is where instances go that name none: it stays",
				 name);
	r = db_begin(store, err);
	return r < 0 ? r : db_end(store, remove_zone(store, name, err), err);
}

int store_zone_list(struct store *store, struct zone **ret_zones, size_t *ret_n, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	struct zone *zones = NULL;
	size_t n = 0;
	int r = db_prepare(store, select_zones, &statement, err);

	if (r < 0)
		return r;
	while ((r = db_step(store, statement, err)) > 0) {
		zones = xrealloc(zones, n + 1, sizeof(*zones));
		row_read(statement, 0, zone_fields, ARRAY_SIZE(zone_fields), &zones[n++]);
	}
	if (r < 0) {
		zone_list_free(zones, n);
		return r;
	}
	*ret_zones = zones;
	*ret_n = n;
	return 0;
}

int store_zone_peer(struct store *store, const char *zone, const char *id,
		    struct zone_member *ret_peer, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, select_peer, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, zone, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, id, -1, SQLITE_STATIC);
	r = db_step(store, statement, err);
	if (r > 0)
		row_read(statement, 0, member_fields, ARRAY_SIZE(member_fields), ret_peer);
	return r;
}

int store_zone_list_linked(struct store *store, int max, char ***ret_ids, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, list_linked, &statement, err);

	*ret_ids = NULL;
	if (r < 0)
		return r;
	sqlite3_bind_int(statement, 1, max);
	while ((r = db_step(store, statement, err)) > 0)
		strv_add(ret_ids, (const char *)sqlite3_column_text(statement, 0));
	return r;
}

int store_zone_count_addresses(struct store *store, const char *zone, size_t *ret_n,
			       struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare_text(store, count_addresses, zone, &statement, err);

	if (r == 0)
		r = db_step(store, statement, err);
	if (r > 0)
		*ret_n = (size_t)sqlite3_column_int64(statement, 0);
	return r < 0 ? r : 0;
}

int store_zone_members(struct store *store, const char *zone, struct zone_member **ret_members,
		       size_t *ret_n, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	cleanup_free struct zone_member *members = NULL;
	size_t n = 0, room = 0;
	int r = db_prepare(store, list_members, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, zone, -1, SQLITE_STATIC);
	while ((r = db_step(store, statement, err)) > 0) {
		if (n == room) {
			room = room ? 2 * room : 16;
			members = xrealloc(members, room, sizeof(*members));
		}
		row_read(statement, 0, member_fields, ARRAY_SIZE(member_fields), &members[n++]);
	}
	if (r < 0)
		return r;
	*ret_members = steal_ptr(members);
	*ret_n = n;
	return 0;
}
