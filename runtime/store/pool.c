/* SPDX-License-Identifier: Apache-2.0 */
/* What an instance has to itself, given out in turn; see pool.h. */
#include "store/pool.h"
#include "store/room.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>

struct pool {
	const char *used; /* column of "instance" with a multiple of a number of the pool */
	int64_t multiple;
	const char *last;   /* table of one row: the number that was given out last */
	int64_t first, end; /* inclusive */
};

/* 1 and the first free number in from .. to (inclusive), 0 when there is none. */
static int free_between(struct store *store, const struct pool *pool, int64_t from, int64_t to,
			int64_t *ret_number, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	cleanup_free char *sql =
		xasprintf("SELECT %1$s FROM instance WHERE %1$s BETWEEN ? AND ? AND %1$s <> 0"
			  " ORDER BY %1$s",
			  pool->used);
	int r = db_prepare(store, sql, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, from * pool->multiple);
	sqlite3_bind_int64(statement, 2, to * pool->multiple);
	while ((r = db_step(store, statement, err)) > 0) {
		if (sqlite3_column_int64(statement, 0) != from * pool->multiple)
			break;
		from++;
	}
	if (r < 0 || from > to)
		return r < 0 ? r : 0;
	*ret_number = from;
	return 1;
}

static int read_last(struct store *store, const struct pool *pool, int64_t *ret_last,
		     struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	cleanup_free char *sql = xasprintf("SELECT * FROM %s", pool->last);
	int r = db_prepare(store, sql, &statement, err);

	if (r == 0)
		r = db_step(store, statement, err);
	if (r < 0)
		return r;
	*ret_last = r ? sqlite3_column_int64(statement, 0) : -1;
	return 0;
}

static int write_last(struct store *store, const struct pool *pool, int64_t number,
		      struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	cleanup_free char *sql = xasprintf("UPDATE %s SET number = ?", pool->last);
	int r = db_prepare(store, sql, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, number);
	return db_step(store, statement, err);
}

/*
 * The next one after the last, not the lowest: the kernel takes a little longer to forget an
 * instance that has ended than its record does. 1 and the number, or 0 when none is free.
 */
static int take(struct store *store, const struct pool *pool, int64_t *ret_number,
		struct error *err)
{
	int64_t last;
	int r = read_last(store, pool, &last, err);

	if (r < 0)
		return r;
	if (last < pool->first || last > pool->end)
		last = pool->end;
	r = free_between(store, pool, last + 1, pool->end, ret_number, err);
	if (r == 0)
		r = free_between(store, pool, pool->first, last, ret_number, err);
	if (r <= 0)
		return r;
	r = write_last(store, pool, *ret_number, err);
	return r < 0 ? r : 1;
}

int take_address(struct store *store, const struct record *record,
		 const struct admission *admission, uint32_t *ret_address, struct error *err)
{
	const struct address_range *range = &admission->addresses;
	struct pool pool = {"address", 1, "last_address", range->base,
			    (int64_t)range->base + range->count - 1};
	uint32_t a = range->base;
	char advice[160];
	int64_t address;
	int r = take(store, &pool, &address, err);

	if (r < 0)
		return r;
	if (r > 0) {
		*ret_address = (uint32_t)address;
		return 0;
	}
	room_advise(store, record, admission, ROOM_PLACES, advice, sizeof(advice));
	error_say(err, ERROR_REFUSED,
		  "all %u instance addresses from %u.%u.%u.%u on are in use: %s; or give a larger "
		  "range with 'addresses' in stint.yaml",
		  range->count, a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255, advice);
	return error_with_code(err, -EADDRNOTAVAIL);
}

/* Counted in whole ranges; an instance without a user namespace has base 0, in no span. */
int take_id_range(struct store *store, const struct record *record,
		  const struct admission *admission, uint32_t *ret_base, struct error *err)
{
	const struct id_span *span = &admission->ids;
	int64_t first = span->first / ID_RANGE_SIZE, range;
	struct pool pool = {"id_base", ID_RANGE_SIZE, "last_id_range", first,
			    first + span->count - 1};
	char advice[160], all[32];
	int r = take(store, &pool, &range, err);

	if (r < 0)
		return r;
	if (r > 0) {
		*ret_base = (uint32_t)range * ID_RANGE_SIZE;
		return 0;
	}
	room_advise(store, record, admission, ROOM_PLACES, advice, sizeof(advice));
	snprintf(all, sizeof(all), span->count == 1 ? "the only range" : "all %u ranges",
		 span->count);
	error_say(err, ERROR_REFUSED,
		  "%s of user ids from %u on %s in use: %s; or raise 'ids.count' in stint.yaml",
		  all, span->first, span->count == 1 ? "is" : "are", advice);
	return error_with_code(err, -EADDRNOTAVAIL);
}
