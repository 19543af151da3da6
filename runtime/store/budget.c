/* SPDX-License-Identifier: Apache-2.0 */
/* What everybody's instances have of the host; see budget.h. */
#include "store/budget.h"
#include "store/room.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>

/*
 * Sums over everything come from an index alone. An instance that is kept has no limit of memory
 * any more (record_keep), and is none that runs without one. total() never overflows.
 */
static const char select_sum[] =
	"SELECT total(memory_bytes) + ?1 * (sum(memory_bytes = 0)"
	" - (SELECT count(*) FROM instance WHERE kept_until_ns <> 0)) FROM instance";
static const char select_one[] = "SELECT memory_bytes FROM instance WHERE id = ?1";

/* The statement's parameter is the number, or the text unless that is NULL. 0 without a row. */
static int read_number(struct store *store, const char *sql, const char *text, uint64_t number,
		       uint64_t *ret_number, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, sql, &statement, err);

	if (r < 0)
		return r;
	if (text)
		sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_int64(statement, 1, (sqlite3_int64)number);
	r = db_step(store, statement, err);
	if (r < 0)
		return r;
	*ret_number = r ? (uint64_t)sqlite3_column_double(statement, 0) : 0;
	return 0;
}

static uint64_t counted(const struct host_budget *budget, uint64_t memory_bytes)
{
	return memory_bytes ? memory_bytes : budget->unlimited_bytes;
}

/* What others have, and what the predecessor has, whose place it will take. */
static int read_use(struct store *store, const struct admission *admission, uint64_t *ret_used,
		    uint64_t *ret_own, struct error *err)
{
	const struct host_budget *budget = &admission->budget;
	uint64_t used, own = 0;
	int r = read_number(store, select_sum, NULL, budget->unlimited_bytes, &used, err);

	if (r == 0 && admission->predecessor) {
		r = read_number(store, select_one, admission->predecessor, 0, &own, err);
		own = counted(budget, own);
	}
	if (r < 0)
		return r;
	*ret_used = used > own ? used - own : 0;
	*ret_own = own;
	return 0;
}

static int refuse_memory(struct store *store, const struct record *record,
			 const struct admission *admission, uint64_t used, struct error *err)
{
	uint64_t most = admission->budget.memory_bytes;
	uint64_t wanted = counted(&admission->budget, record->memory_bytes);
	char most_text[32], used_text[32], wanted_text[32], advice[160];

	format_size(most, most_text, sizeof(most_text));
	format_size(used, used_text, sizeof(used_text));
	format_size(wanted, wanted_text, sizeof(wanted_text));
	if (wanted > most)
		return error_say(err, ERROR_REFUSED,
				 "the memory limits of all instances may add up to %s on this "
				 "host, and this one alone wants %s: ask for less with --memory, "
				 "or raise 'host.memory_limits' in stint.yaml",
				 most_text, wanted_text);
	room_advise(store, record, admission, ROOM_MEMORY, advice, sizeof(advice));
	error_say(err, ERROR_REFUSED,
		  "the memory limits of all instances may add up to %s on this host; they are at "
		  "%s, and this one wants %s: ask for less with --memory; %s",
		  most_text, used_text, wanted_text, advice);
	return error_with_code(err, -ENOSPC);
}

/* Who takes another one's place, and wants no more than that had, is no matter of room. */
static int check_memory(struct store *store, const struct record *record,
			const struct admission *admission, struct error *err)
{
	uint64_t most = admission->budget.memory_bytes, used, own;
	uint64_t wanted = counted(&admission->budget, record->memory_bytes);
	int r;

	if (!most || !wanted)
		return 0;
	r = read_use(store, admission, &used, &own, err);
	if (r < 0 || wanted <= own || (used <= most && wanted <= most - used))
		return r;
	return refuse_memory(store, record, admission, used, err);
}

static int check_disk(struct store *store, const struct record *record,
		      const struct admission *admission, struct error *err)
{
	const struct host_budget *budget = &admission->budget;
	char free_text[32], spare_text[32], wanted_text[32], advice[160];
	uint64_t left, whole;
	struct statvfs fs;

	if (!budget->disk_bytes && !budget->spare_bytes)
		return 0;
	if (statvfs(store->path, &fs) < 0)
		return error_set(err, errno, "cannot look at the file system of '%s'", store->path);
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	whole = (uint64_t)fs.f_blocks * fs.f_frsize;
	if (left >= budget->spare_bytes && left - budget->spare_bytes >= budget->disk_bytes)
		return 0;
	format_size(left, free_text, sizeof(free_text));
	format_size(budget->spare_bytes, spare_text, sizeof(spare_text));
	format_size(budget->disk_bytes, wanted_text, sizeof(wanted_text));
	room_advise(store, record, admission, ROOM_DISK, advice, sizeof(advice));
	error_say(err, ERROR_REFUSED,
		  "the file system of '%s' has %s left, of which %s stay free%s%s%s, or make room; "
		  "%s",
		  store->path, free_text, spare_text,
		  budget->disk_bytes ? ", and this instance wants " : "",
		  budget->disk_bytes ? wanted_text : "",
		  budget->disk_bytes ? ": ask for less with --disk" : ": end an instance", advice);
	return whole < budget->spare_bytes || whole - budget->spare_bytes < budget->disk_bytes
		       ? err->code
		       : error_with_code(err, -ENOSPC);
}

int budget_check(struct store *store, const struct record *record,
		 const struct admission *admission, struct error *err)
{
	int r = check_memory(store, record, admission, err);

	return r < 0 ? r : check_disk(store, record, admission, err);
}
