/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the store, and the records of instances; see store.h. */
#include "store/store.h"
#include "base/text.h"
#include "store/budget.h"
#include "store/db.h"
#include "store/installs.h"
#include "store/place.h"
#include "store/pool.h"
#include "store/quota.h"
#include "store/record.h"
#include "store/schema.h"
#include "store/spare.h"
#include "store/successor.h"
#include "store/zones.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static int open_as(const char *state_path, bool reading, struct store **ret_store,
		   struct error *err)
{
	cleanup_store struct store *store = xcalloc(1, sizeof(*store));
	int r;

	store->path = xasprintf("%s/store.db", state_path);
	r = reading ? db_open_to_read(store, err) : db_open(store, err);
	if (r == 0)
		r = schema_prepare(store, err);
	if (r < 0)
		return r;
	*ret_store = steal_ptr(store);
	return 0;
}

int store_open(const char *state_path, struct store **ret_store, struct error *err)
{
	return open_as(state_path, false, ret_store, err);
}

int store_open_to_read(const char *state_path, struct store **ret_store, struct error *err)
{
	struct error why = {0};
	int r = store_open(state_path, ret_store, &why);

	if (r == -EROFS)
		return open_as(state_path, true, ret_store, err);
	if (r < 0 && err)
		*err = why;
	return r;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	db_close(store);
	free(store->path);
	free(store);
}

void store_cleanup(struct store **store)
{
	store_close(*store);
	*store = NULL;
}

int store_check(const char *state_path, struct error *err)
{
	cleanup_store struct store *store = NULL;
	cleanup_statement sqlite3_stmt *statement = NULL;
	const char *found;
	int r = store_open(state_path, &store, err);

	if (r == 0)
		r = db_prepare(store, "PRAGMA quick_check(1)", &statement, err);
	if (r == 0)
		r = db_step(store, statement, err);
	if (r < 0)
		return r;
	found = (const char *)sqlite3_column_text(statement, 0);
	if (r > 0 && found && strcmp(found, "ok") == 0)
		return 0;
	return error_set(err, EUCLEAN, "'%s/store.db' is damaged (%s)", state_path,
			 found ? found : "it cannot be read");
}

int store_restore(struct store *store, const struct record *record, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, record_insert(store, record, err), err);
}

static int check_zone(struct store *store, const char *name, struct error *err)
{
	struct zone zone = {0};
	int r = store_zone_load(store, name, &zone, err);

	zone_deinit(&zone);
	return r;
}

/* What stands in for another one must not fail together with it. */
static int check_group(struct store *store, const char *group, const char *predecessor,
		       bool discreet, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = group ? db_prepare(store,
				   "SELECT name FROM instance WHERE ha_group = ?1"
				   " AND id IS NOT ?2",
				   &statement, err)
		      : 0;

	if (r < 0 || !group)
		return r;
	sqlite3_bind_text(statement, 1, group, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, predecessor, -1, SQLITE_STATIC);
	r = db_step(store, statement, err);
	if (r <= 0)
		return r;
	return error_say(
		err, ERROR_REFUSED,
		"a member of the high-availability group '%s' runs on this host%s%s%s: two "
		"on one machine fail together; start this one on another",
		group, discreet ? "" : " already, '",
		discreet ? "" : (const char *)sqlite3_column_text(statement, 0),
		discreet ? "" : "'");
}

/* The second address says nothing of its own: it is the first one's place under the prefix. */
static void derive_address6(const struct admission *admission, struct record *record)
{
	struct in6_addr address = admission->prefix6;
	uint32_t place = record->address - admission->addresses.base + 1;

	record->address6[0] = '\0';
	if (IN6_IS_ADDR_UNSPECIFIED(&address))
		return;
	for (int i = 15; place; i--, place >>= 8)
		address.s6_addr[i] |= (uint8_t)place;
	inet_ntop(AF_INET6, &address, record->address6, sizeof(record->address6));
}

/* What nobody else may have: name and ports. A successor's are those of another instance. */
static int check_place(struct store *store, const struct record *record,
		       const struct admission *admission, struct error *err)
{
	bool discreet = admission->quota;
	int r;

	if (admission->predecessor)
		return successor_check(store, admission->predecessor, err);
	r = place_check_name(store, record->grant.name, discreet, err);
	return r < 0 ? r : place_check_ports(store, &record->grant, discreet, err);
}

static int admit(struct store *store, struct record *record, const struct admission *admission,
		 struct error *err)
{
	const char *predecessor = admission->predecessor;
	int r = check_place(store, record, admission, err);

	if (r == 0)
		r = check_zone(store, record->zone, err);
	if (r == 0)
		r = check_group(store, record->ha_group, predecessor, admission->quota, err);
	if (r == 0 && admission->quota)
		r = quota_check(store, record, admission, err);
	if (r == 0)
		r = budget_check(store, record, admission, err);
	if (r == 0)
		r = take_address(store, record, admission, &record->address, err);
	if (r == 0)
		derive_address6(admission, record);
	if (r == 0 && admission->ids.count)
		r = take_id_range(store, record, admission, &record->id_base, err);
	if (r == 0)
		r = store_find_lowers(store, record->layers, admission->trial, &record->lowers,
				      err);
	if (r == 0)
		r = predecessor ? successor_insert(store, record, predecessor, err)
				: record_insert(store, record, err);
	if (r == 0 && admission->likeness)
		r = spare_insert(store, record, admission->likeness, err);
	return r;
}

int store_admit(struct store *store, struct record *record, const struct admission *admission,
		struct error *err)
{
	struct record admitted = *record; /* borrows everything from record */
	int r = db_begin(store, err);

	if (r < 0)
		return r;
	admitted.lowers = NULL;
	if (admission->likeness)
		spare_name(record->grant.id, admitted.grant.name);
	r = db_end(store, admit(store, &admitted, admission, err), err);
	if (r < 0)
		strv_free(admitted.lowers);
	if (r == 0) {
		strv_free(record->lowers);
		record->lowers = admitted.lowers;
		record->address = admitted.address;
		memcpy(record->address6, admitted.address6, sizeof(record->address6));
		record->id_base = admitted.id_base;
		if (admission->predecessor)
			successor_name(record->grant.id, record->grant.name);
		if (admission->likeness)
			spare_name(record->grant.id, record->grant.name);
	}
	return r;
}

enum room store_lacks_room(const struct error *err)
{
	if (err->kind != ERROR_REFUSED)
		return ROOM_NEVER;
	if (err->code == -EDQUOT)
		return ROOM_OF_OWNER;
	return err->code == -ENOSPC || err->code == -EADDRNOTAVAIL ? ROOM_OF_HOST : ROOM_NEVER;
}

static int load_where(struct store *store, const char *condition, const char *key,
		      struct record **ret_record, struct error *err)
{
	cleanup_record_reader struct record_reader reader = {0};
	int r = record_reader_init(&reader, store, condition, key, err);

	if (r == 0)
		r = record_reader_next(&reader, ret_record, err);
	if (r == 0)
		return error_say(err, ERROR_NOT_FOUND, "no instance '%s'", key);
	return r < 0 ? r : 0;
}

int store_load(struct store *store, const char *name_or_id, struct record **ret_record,
	       struct error *err)
{
	return load_where(store, "WHERE name = ?1 OR id = ?1 ORDER BY name = ?1 DESC LIMIT 1",
			  name_or_id, ret_record, err);
}

int store_load_id(struct store *store, const char *id, struct record **ret_record,
		  struct error *err)
{
	return load_where(store, "WHERE id = ?1", id, ret_record, err);
}

int store_list(struct store *store, struct record ***ret_records, size_t *ret_count,
	       struct error *err)
{
	cleanup_record_reader struct record_reader reader = {0};
	struct record *record, **records = NULL;
	size_t count = 0;
	int r = record_reader_init(&reader, store, "ORDER BY seq", NULL, err);

	while (r >= 0 && (r = record_reader_next(&reader, &record, err)) > 0) {
		records = xrealloc(records, count + 1, sizeof(struct record *));
		records[count++] = record;
	}
	if (r < 0) {
		record_list_free(records, count);
		return r;
	}
	*ret_records = records;
	*ret_count = count;
	return 0;
}

static int read_ids(struct store *store, sqlite3_stmt *statement, char ***ret_ids,
		    struct error *err)
{
	cleanup_strv char **ids = strv_copy(NULL);
	int r;

	while ((r = db_step(store, statement, err)) > 0)
		strv_add(&ids, (const char *)sqlite3_column_text(statement, 0));
	if (r == 0)
		*ret_ids = steal_ptr(ids);
	return r;
}

int store_list_ids(struct store *store, bool kept, char ***ret_ids, struct error *err)
{
	/* both from indexes alone */
	const char *query = kept ? "SELECT id FROM instance"
				 : "SELECT id FROM instance WHERE id NOT IN"
				   " (SELECT id FROM instance WHERE kept_until_ns <> 0)";
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, query, &statement, err);

	return r < 0 ? r : read_ids(store, statement, ret_ids, err);
}

int store_newest(struct store *store, const char *but, char ret_id[INSTANCE_ID_LENGTH + 1],
		 struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare_text(store,
				"SELECT id FROM instance WHERE id <> ? AND kept_until_ns = 0"
				" ORDER BY seq DESC LIMIT 1",
				but, &statement, err);

	*ret_id = '\0';
	if (r == 0)
		r = db_step(store, statement, err);
	if (r > 0)
		snprintf(ret_id, INSTANCE_ID_LENGTH + 1, "%s",
			 (const char *)sqlite3_column_text(statement, 0));
	return r < 0 ? r : 0;
}

int store_list_due(struct store *store, const char *boot_id, int64_t boottime_ns, int64_t wall_ns,
		   char ***ret_ids, struct error *err)
{
	/* "<" and ">" are looked up in an index, "<>" is not */
	static const char query[] =
		"SELECT id FROM instance WHERE (boot_id < ?1 AND kept_until_ns = 0)"
		" OR (boot_id > ?1 AND kept_until_ns = 0)"
		" OR (lease_clock = ?2 AND lease_deadline_ns < ?3"
		" AND lease_deadline_ns + lease_frozen_ns < ?3 AND kept_until_ns = 0)"
		" OR (lease_clock = ?4 AND lease_deadline_ns < ?5"
		" AND lease_deadline_ns + lease_frozen_ns < ?5 AND kept_until_ns = 0)"
		" OR (kept_until_ns <> 0 AND kept_until_ns < ?5)";
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, query, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 1, boot_id, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 2, LEASE_BOOTTIME);
	sqlite3_bind_int64(statement, 3, boottime_ns);
	sqlite3_bind_int(statement, 4, LEASE_WALL);
	sqlite3_bind_int64(statement, 5, wall_ns);
	return read_ids(store, statement, ret_ids, err);
}

int store_set_lease(struct store *store, const char *id, const struct lease *lease,
		    struct error *err)
{
	bool found = false;
	int r = db_begin(store, err);

	if (r < 0)
		return r;
	r = db_end(store, record_update_lease(store, id, lease, &found, err), err);
	if (r == 0 && !found)
		return error_say(err, ERROR_NOT_FOUND, "no instance '%s'", id);
	return r;
}
