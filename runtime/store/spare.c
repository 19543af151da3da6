/* SPDX-License-Identifier: Apache-2.0 */
/* Instances that were started ahead; see spares.h and spare.h. In commands. */
#include "store/spare.h"
#include "base/text.h"
#include "store/place.h"
#include "store/quota.h"
#include "store/record.h"
#include "store/spares.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void spare_name(const char *id, char name[INSTANCE_NAME_MAX + 1])
{
	snprintf(name, INSTANCE_NAME_MAX + 1, SPARE_PREFIX "%s", id);
}

bool spare_is_name(const char *name)
{
	return strncmp(name, SPARE_PREFIX, strlen(SPARE_PREFIX)) == 0;
}

int spare_insert(struct store *store, const struct record *record, const char *likeness,
		 struct error *err)
{
	static const char sql[] =
		"INSERT INTO spare (instance, template_name, zone, likeness, ready)"
		" SELECT ?1, template_name, zone, ?4, 0 FROM pool p"
		" WHERE template_name = ?2 AND zone = ?3 AND size > (SELECT count(*) FROM spare s"
		" WHERE s.template_name = p.template_name AND s.zone = p.zone)";
	const char *const texts[] = {record->grant.id, record->template_name, record->zone,
				     likeness};
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, sql, &statement, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
		sqlite3_bind_text(statement, (int)i + 1, texts[i], -1, SQLITE_STATIC);
	if (r == 0)
		r = db_step(store, statement, err);
	if (r == 0 && sqlite3_changes(store->db) == 0)
		return error_say(err, ERROR_REFUSED, "the pool of '%s' in the zone '%s' is full",
				 record->template_name, record->zone);
	return r;
}

int spare_forget(struct store *store, const char *id, struct error *err)
{
	return db_run_text(store, "DELETE FROM spare WHERE instance = ?", id, err);
}

void spare_list_free(struct spare *spares, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		record_free(spares[i].record);
		free(spares[i].likeness);
	}
	free(spares);
}

static int list_ids(struct store *store, const char *template_name, const char *zone,
		    struct spare **spares, size_t *n, struct error *err)
{
	static const char sql[] = "SELECT instance, s.likeness, ready FROM spare s JOIN instance i"
				  " ON i.id = instance WHERE s.template_name = ?1 AND s.zone = ?2"
				  " AND kept_until_ns = 0 ORDER BY seq";
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare_text(store, sql, template_name, &statement, err);

	if (r == 0)
		sqlite3_bind_text(statement, 2, zone, -1, SQLITE_STATIC);
	while (r >= 0 && (r = db_step(store, statement, err)) > 0) {
		struct spare *spare;

		*spares = xrealloc(*spares, *n + 1, sizeof(**spares));
		spare = &(*spares)[(*n)++];
		*spare = (struct spare){0};
		spare->likeness = xstrdup((const char *)sqlite3_column_text(statement, 1));
		spare->ready = sqlite3_column_int(statement, 2);
		r = store_load_id(store, (const char *)sqlite3_column_text(statement, 0),
				  &spare->record, err);
	}
	return r;
}

int store_spare_list(struct store *store, const char *template_name, const char *zone,
		     struct spare **ret_spares, size_t *ret_n, struct error *err)
{
	struct spare *spares = NULL;
	size_t n = 0;
	int r = list_ids(store, template_name, zone, &spares, &n, err);

	if (r < 0) {
		spare_list_free(spares, n);
		return r;
	}
	*ret_spares = spares;
	*ret_n = n;
	return 0;
}

static int make_ready(struct store *store, const char *id, int64_t took_ns, struct error *err)
{
	static const char count[] =
		"UPDATE pool SET starts = starts + 1, ready_ns = ready_ns + ?2,"
		" failures = 0, failed_ns = 0, error = NULL WHERE (template_name, zone) ="
		" (SELECT template_name, zone FROM spare WHERE instance = ?1)";
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_run_text(store, "UPDATE spare SET ready = 1 WHERE instance = ?", id, err);

	if (r == 0 && took_ns >= 0)
		r = db_prepare_text(store, count, id, &statement, err);
	if (r < 0 || took_ns < 0)
		return r;
	sqlite3_bind_int64(statement, 2, took_ns);
	return db_step(store, statement, err);
}

int store_spare_ready(struct store *store, const char *id, int64_t took_ns, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, make_ready(store, id, took_ns, err), err);
}

int store_spare_take(struct store *store, const char *id, struct error *err)
{
	int r = spare_forget(store, id, err);

	return r < 0 ? r : sqlite3_changes(store->db) > 0;
}

int store_spare_orphans(struct store *store, char ***ret_ids, struct error *err)
{
	static const char sql[] = "SELECT id FROM instance WHERE name = 'spare.' || id"
				  " AND id NOT IN (SELECT instance FROM spare)";
	cleanup_statement sqlite3_stmt *statement = NULL;
	cleanup_strv char **ids = NULL;
	int r = db_prepare(store, sql, &statement, err);

	while (r >= 0 && (r = db_step(store, statement, err)) > 0)
		strv_add(&ids, (const char *)sqlite3_column_text(statement, 0));
	if (r == 0)
		*ret_ids = steal_ptr(ids);
	return r;
}

int store_spare_newest(struct store *store, char **ret_id, struct error *err)
{
	static const char sql[] = "SELECT id FROM instance JOIN spare ON id = instance"
				  " ORDER BY ready, seq DESC LIMIT 1";
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, sql, &statement, err);

	if (r == 0)
		r = db_step(store, statement, err);
	if (r < 0)
		return r;
	*ret_id = r > 0 ? xstrdup((const char *)sqlite3_column_text(statement, 0)) : NULL;
	return 0;
}

/* Of what claim->grant does not bring, the record is the spare's. */
static int check_claim(struct store *store, const struct claim *claim, struct error *err)
{
	const struct admission admission = {.quota = claim->quota};
	cleanup_record struct record *record = NULL;
	int r = claim->quota ? store_load_id(store, claim->grant->id, &record, err) : 0;

	if (r < 0 || !claim->quota)
		return r;
	record->grant.owner_uid = claim->grant->owner_uid;
	record->cpu_millis = claim->cpu_millis;
	return quota_check(store, record, &admission, err);
}

static int give(struct store *store, const struct claim *claim, struct error *err)
{
	static const char sql[] =
		"UPDATE instance SET name = ?2, owner_uid = ?3, owner_gid = ?4, owner = ?5,"
		" hold = ?6, plan = ?7, on_expiry = ?8, keep_failed_ns = ?9, created_ns = ?10,"
		" cpu_millis = ?11 WHERE id = ?1";
	const struct grant *grant = claim->grant;
	cleanup_statement sqlite3_stmt *statement = NULL;
	bool found;
	int r = db_prepare_text(store, sql, grant->id, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(statement, 2, grant->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, grant->owner_uid);
	sqlite3_bind_int64(statement, 4, grant->owner_gid);
	sqlite3_bind_text(statement, 5, grant->owner, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 6, grant->hold);
	sqlite3_bind_text(statement, 7, claim->plan, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 8, claim->on_expiry);
	sqlite3_bind_int64(statement, 9, claim->keep_failed_ns);
	sqlite3_bind_int64(statement, 10, claim->created_ns);
	sqlite3_bind_int64(statement, 11, (sqlite3_int64)claim->cpu_millis);
	r = db_step(store, statement, err);
	if (r == 0)
		r = record_update_lease(store, grant->id, &grant->lease, &found, err);
	return r < 0 ? r : record_insert_ports(store, grant, err);
}

static int count_hit(struct store *store, const char *id, struct error *err)
{
	return db_run_text(store,
			   "UPDATE pool SET hits = hits + 1 WHERE (template_name, zone) ="
			   " (SELECT template_name, zone FROM instance WHERE id = ?)",
			   id, err);
}

static int claim_spare(struct store *store, const struct claim *claim, struct record **ret_record,
		       struct error *err)
{
	const struct grant *grant = claim->grant;
	int r = store_spare_take(store, grant->id, err);

	if (r == 0)
		return error_set(err, ESTALE, "'%s' is a spare no more", grant->id);
	if (r > 0)
		r = place_check_name(store, grant->name, claim->quota, err);
	if (r == 0)
		r = place_check_ports(store, grant, claim->quota, err);
	if (r == 0)
		r = check_claim(store, claim, err);
	if (r == 0)
		r = give(store, claim, err);
	if (r == 0)
		r = count_hit(store, grant->id, err);
	return r < 0 ? r : store_load_id(store, grant->id, ret_record, err);
}

int store_spare_claim(struct store *store, const struct claim *claim, struct record **ret_record,
		      struct error *err)
{
	struct record *record = NULL;
	int r = db_begin(store, err);

	if (r < 0)
		return r;
	r = db_end(store, claim_spare(store, claim, &record, err), err);
	if (r < 0)
		record_free(record);
	else
		*ret_record = record;
	return r;
}
