/* SPDX-License-Identifier: Apache-2.0 */
/* What would free room; see room.h. */
#include "store/room.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

/* What is in the middle of a succession has a name with a dot, which nobody can ask for. */
#define NAMED " WHERE id IS NOT ?1 AND instr(name, '.') = 0 AND (?2 < 0 OR owner_uid = ?2)"

static const char *const queries[] = {
	[ROOM_MEMORY] = "SELECT name, owner, memory_bytes FROM instance" NAMED
			" AND memory_bytes > 0 ORDER BY 3 DESC, seq LIMIT 1",
	[ROOM_CPU] = "SELECT name, owner, cpu_millis FROM instance" NAMED
		     " AND cpu_millis > 0 ORDER BY 3 DESC, seq LIMIT 1",
	[ROOM_DISK] = "SELECT name, owner, disk_bytes FROM instance" NAMED
		      " AND disk_bytes > 0 ORDER BY 3 DESC, seq LIMIT 1",
	/* what has ended and is kept is missed least */
	[ROOM_PLACES] = "SELECT name, owner, 1 FROM instance" NAMED
			" ORDER BY kept_until_ns = 0, seq LIMIT 1",
};

void room_format(enum room_kind kind, uint64_t amount, char *buffer, size_t size)
{
	if (kind == ROOM_CPU)
		snprintf(buffer, size, "%g", (double)amount / 1000);
	else if (kind == ROOM_PLACES)
		snprintf(buffer, size, "%" PRIu64, amount);
	else
		format_size(amount, buffer, size);
}

static void describe(sqlite3_stmt *statement, enum room_kind kind, bool foreign, char *buffer,
		     size_t size)
{
	const char *name = (const char *)sqlite3_column_text(statement, 0);
	const char *owner = (const char *)sqlite3_column_text(statement, 1);
	char amount[32];

	room_format(kind, (uint64_t)sqlite3_column_int64(statement, 2), amount, sizeof(amount));
	if (kind == ROOM_PLACES)
		snprintf(buffer, size, "'stint down %s' would end the oldest%s%s", name,
			 foreign ? ", of " : " of yours", foreign && owner ? owner : "");
	else
		snprintf(buffer, size, "'stint down %s'%s%s%s would give back %s", name,
			 foreign ? " (of " : "", foreign && owner ? owner : "", foreign ? ")" : "",
			 amount);
}

/* owner -1: anybody's. True when there is one. */
static bool find(struct store *store, enum room_kind kind, const char *except, int64_t owner,
		 char *buffer, size_t size)
{
	cleanup_statement sqlite3_stmt *statement = NULL;

	if (db_prepare(store, queries[kind], &statement, NULL) < 0)
		return false;
	sqlite3_bind_text(statement, 1, except, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, owner);
	if (db_step(store, statement, NULL) <= 0)
		return false;
	describe(statement, kind, owner < 0, buffer, size);
	return true;
}

void room_advise(struct store *store, const struct record *record,
		 const struct admission *admission, enum room_kind kind, char *buffer, size_t size)
{
	const char *except = admission->predecessor;

	if (find(store, kind, except, record->grant.owner_uid, buffer, size))
		return;
	if (!admission->quota && find(store, kind, except, -1, buffer, size))
		return;
	snprintf(buffer, size, "no instance of yours would give any back");
}
