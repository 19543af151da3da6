/* SPDX-License-Identifier: Apache-2.0 */
/* Which generations instances were started on; see pins.h. */
#include "store/pins.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const char insert_pin[] =
	"INSERT OR IGNORE INTO pin (instance, install, number) VALUES (?, ?, ?)";

/* "NAME/NUMBER/POSITION" */
static int insert_one(struct store *store, const char *id, const char *lower, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	const char *slash = strchr(lower, '/');
	int r = slash ? db_prepare(store, insert_pin, &statement, err) : 0;

	if (r < 0 || !slash)
		return r;
	sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, lower, (int)(slash - lower), SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)strtoul(slash + 1, NULL, 10));
	return db_step(store, statement, err);
}

int pins_insert(struct store *store, const struct record *record, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && record->lowers && record->lowers[i]; i++)
		r = insert_one(store, record->grant.id, record->lowers[i], err);
	return r;
}
