/* SPDX-License-Identifier: Apache-2.0 */
/* What the instances of one owner use together; see quota.h. */
#include "store/quota.h"
#include "base/text.h"

#include <inttypes.h>

enum { MEMORY, CPU, DISK, KINDS };

static const struct {
	const char *name, *option;
} kinds[] = {
	[MEMORY] = {"memory", "--memory"},
	[CPU] = {"processors", "--cpus"},
	[DISK] = {"disk", "--disk"},
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

static void format(int kind, uint64_t amount, char *buffer, size_t size)
{
	if (kind == CPU)
		snprintf(buffer, size, "%g", (double)amount / 1000);
	else
		format_size(amount, buffer, size);
}

static int check_sum(int kind, uint64_t used, uint64_t wanted, uint64_t most, struct error *err)
{
	char used_text[32], wanted_text[32], most_text[32];

	if (!most)
		return 0;
	format(kind, used, used_text, sizeof(used_text));
	format(kind, wanted, wanted_text, sizeof(wanted_text));
	format(kind, most, most_text, sizeof(most_text));
	if (!wanted)
		return error_say(err, ERROR_REFUSED,
				 "your quota is %s of %s, so an instance of yours needs a limit of "
				 "it: give %s",
				 most_text, kinds[kind].name, kinds[kind].option);
	if (used <= most && wanted <= most - used)
		return 0;
	return error_say(err, ERROR_REFUSED,
			 "your quota is %s of %s; your instances have %s, and this one wants %s: "
			 "ask for less with %s, or end one",
			 most_text, kinds[kind].name, used_text, wanted_text, kinds[kind].option);
}

int quota_check(struct store *store, const struct record *record, const struct admission *admission,
		struct error *err)
{
	const struct quota *quota = admission->quota;
	const uint64_t most[] = {quota->memory_bytes, quota->cpu_millis, quota->disk_bytes};
	const uint64_t wanted[] = {record->memory_bytes, record->cpu_millis, record->disk_bytes};
	struct sums sums;
	int r = read_sums(store, record->grant.owner_uid, admission->predecessor, &sums, err);

	if (r == 0 && quota->instances && sums.instances >= quota->instances)
		return error_say(err, ERROR_REFUSED,
				 "your quota is %" PRIu64 " instances, and you have %" PRIu64
				 ": end one with 'stint down NAME'",
				 quota->instances, sums.instances);
	for (int i = 0; r == 0 && i < KINDS; i++)
		r = check_sum(i, sums.of[i], wanted[i], most[i], err);
	return r;
}
