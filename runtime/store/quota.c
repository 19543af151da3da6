/* SPDX-License-Identifier: Apache-2.0 */
/* What the instances of one owner use together; see quota.h. */
#include "store/quota.h"
#include "store/room.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>

#define KINDS (ROOM_DISK + 1)

static const struct {
	const char *name, *option;
} kinds[] = {
	[ROOM_MEMORY] = {"memory", "--memory"},
	[ROOM_CPU] = {"processors", "--cpus"},
	[ROOM_DISK] = {"disk", "--disk"},
};

struct sums {
	uint64_t instances, of[KINDS];
};

/* total() never overflows; what it loses beyond 2^53 is more than any host has. */
static const char select_sums[] =
	"SELECT count(*), total(memory_bytes), total(cpu_millis), total(disk_bytes)"
	" FROM instance WHERE owner_uid = ?1 AND id IS NOT ?2";

/* except: an instance that does not count; NULL: all do. */
static int read_sums(struct store *store, uid_t owner, const char *except, struct sums *ret_sums,
		     struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, select_sums, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, owner);
	sqlite3_bind_text(statement, 2, except, -1, SQLITE_STATIC);
	r = db_step(store, statement, err);
	if (r < 0)
		return r;
	ret_sums->instances = (uint64_t)sqlite3_column_int64(statement, 0);
	for (int i = 0; i < KINDS; i++)
		ret_sums->of[i] = (uint64_t)sqlite3_column_double(statement, i + 1);
	return 0;
}

/* An amount that is asked for, and where it is decided. */
struct asking {
	struct store *store;
	const struct record *record;
	const struct admission *admission;
	enum room_kind kind;
	uint64_t used, wanted, most;
};

static int refuse_never(const struct asking *asking, struct error *err)
{
	char most[32], wanted[32];

	room_format(asking->kind, asking->most, most, sizeof(most));
	room_format(asking->kind, asking->wanted, wanted, sizeof(wanted));
	if (!asking->wanted)
		return error_say(err, ERROR_REFUSED,
				 "your quota is %s of %s, so an instance of yours needs a limit of "
				 "it: give %s",
				 most, kinds[asking->kind].name, kinds[asking->kind].option);
	return error_say(err, ERROR_REFUSED,
			 "your quota is %s of %s, and this instance alone wants %s: ask for less "
			 "with %s",
			 most, kinds[asking->kind].name, wanted, kinds[asking->kind].option);
}

static int refuse_now(const struct asking *asking, struct error *err)
{
	char used[32], wanted[32], most[32], advice[160];

	room_format(asking->kind, asking->used, used, sizeof(used));
	room_format(asking->kind, asking->wanted, wanted, sizeof(wanted));
	room_format(asking->kind, asking->most, most, sizeof(most));
	room_advise(asking->store, asking->record, asking->admission, asking->kind, advice,
		    sizeof(advice));
	error_say(err, ERROR_REFUSED,
		  "your quota is %s of %s; your instances have %s, and this one wants %s: ask for "
		  "less with %s; %s",
		  most, kinds[asking->kind].name, used, wanted, kinds[asking->kind].option, advice);
	return error_with_code(err, -EDQUOT);
}

static int check_sum(const struct asking *asking, struct error *err)
{
	if (!asking->most)
		return 0;
	if (!asking->wanted || asking->wanted > asking->most)
		return refuse_never(asking, err);
	if (asking->used <= asking->most && asking->wanted <= asking->most - asking->used)
		return 0;
	return refuse_now(asking, err);
}

static int check_instances(const struct asking *asking, struct error *err)
{
	char advice[160];

	if (!asking->most || asking->used < asking->most)
		return 0;
	room_advise(asking->store, asking->record, asking->admission, ROOM_PLACES, advice,
		    sizeof(advice));
	error_say(err, ERROR_REFUSED,
		  "your quota is %" PRIu64 " instances, and you have %" PRIu64 ": %s", asking->most,
		  asking->used, advice);
	return error_with_code(err, -EDQUOT);
}

int quota_check(struct store *store, const struct record *record, const struct admission *admission,
		struct error *err)
{
	const struct quota *quota = admission->quota;
	const uint64_t most[] = {quota->memory_bytes, quota->cpu_millis, quota->disk_bytes};
	const uint64_t wanted[] = {record->memory_bytes, record->cpu_millis, record->disk_bytes};
	struct asking asking = {store, record, admission, ROOM_PLACES, 0, 1, quota->instances};
	struct sums sums;
	int r = read_sums(store, record->grant.owner_uid, admission->predecessor, &sums, err);

	if (r < 0)
		return r;
	asking.used = sums.instances;
	r = check_instances(&asking, err);
	for (int i = 0; r == 0 && i < KINDS; i++) {
		asking.kind = (enum room_kind)i;
		asking.used = sums.of[i];
		asking.wanted = wanted[i];
		asking.most = most[i];
		r = check_sum(&asking, err);
	}
	return r;
}
