/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/store: the end of an instance, and the history. */
#include "base/cleanup.h"
#include "store_rig.h"

#include <errno.h>

static void store_finish_twice(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	struct record *record = NULL;
	size_t count = 0;

	must_admit(state->store, "web", 1);
	assert_int_equal(end_instance(state->store, 1, "expired"), 0);
	assert_int_equal(end_instance(state->store, 1, "lost keeper"), 0);
	assert_int_equal(store_load(state->store, "web", &record, NULL), -ENOENT);
	assert_int_equal(store_history(state->store, NULL, NULL, 10, &entries, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_string_equal(entries[0].ending.reason, "expired");
	history_free(entries, count);
}

static void store_finish_never_admitted(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	size_t count = 1;

	assert_int_equal(end_instance(state->store, 1, "expired"), 0);
	assert_int_equal(store_history(state->store, NULL, NULL, 10, &entries, &count, NULL), 0);
	assert_int_equal(count, 0);
	history_free(entries, count);
}

static void store_history_every_field(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *record = make_record("web", 1);
	const struct ending ending = {
		.ended_ns = 99,
		.reason = "exited 3",
		.exit_status = 3,
		.exit_signal = 9,
		.usage = {.ready_after_ns = 1,
			  .restarts = 2,
			  .memory_bytes = 3,
			  .cpu_ns = 4,
			  .disk_bytes = 5,
			  .io_bytes = 6,
			  .io_by = "cgroup v1 blkio",
			  .connections = 7,
			  .bytes_in = 8,
			  .bytes_out = INT64_MAX,
			  .log = (char *)"one\ntwo\n"},
	};
	const struct usage *usage;
	struct history_entry *entries = NULL;
	size_t count = 0;

	record->created_ns = 42;
	assert_int_equal(store_admit(state->store, record, &plenty, NULL), 0);
	assert_int_equal(store_finish(state->store, "00000001", &ending, NULL), 0);
	assert_int_equal(store_history(state->store, "web", NULL, 10, &entries, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_string_equal(entries[0].id, "00000001");
	assert_string_equal(entries[0].name, "web");
	assert_string_equal(entries[0].template_name, "hello");
	assert_string_equal(entries[0].owner, "alice");
	assert_int_equal(entries[0].created_ns, 42);
	assert_int_equal(entries[0].ending.ended_ns, 99);
	assert_string_equal(entries[0].ending.reason, "exited 3");
	assert_int_equal(entries[0].ending.exit_status, 3);
	assert_int_equal(entries[0].ending.exit_signal, 9);
	assert_string_equal(entries[0].zone, "default");
	usage = &entries[0].ending.usage;
	assert_int_equal(usage->ready_after_ns, 1);
	assert_int_equal(usage->restarts, 2);
	assert_int_equal(usage->memory_bytes, 3);
	assert_int_equal(usage->cpu_ns, 4);
	assert_int_equal(usage->disk_bytes, 5);
	assert_int_equal(usage->io_bytes, 6);
	assert_string_equal(usage->io_by, "cgroup v1 blkio");
	assert_int_equal(usage->connections, 7);
	assert_int_equal(usage->bytes_in, 8);
	assert_true(usage->bytes_out == INT64_MAX);
	assert_string_equal(usage->log, "one\ntwo\n");
	history_free(entries, count);
}

static void store_history_newest_first_of_one_name(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	size_t count = 0;

	for (unsigned i = 0; i < 6; i++) {
		must_admit(state->store, i % 2 ? "odd" : "even", i);
		assert_int_equal(end_instance(state->store, i, "expired"), 0);
	}
	assert_int_equal(store_history(state->store, "odd", NULL, 2, &entries, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(entries[0].id, "00000005");
	assert_string_equal(entries[1].id, "00000003");
	history_free(entries, count);
}

static void store_history_of_one_owner(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	const uid_t owner = 1001, nobody = (uid_t)-1;
	size_t count = 0;

	for (unsigned i = 0; i < 4; i++) {
		cleanup_record struct record *record = make_record("web", i);

		record->grant.owner_uid = 1000 + i % 2;
		assert_int_equal(store_admit(state->store, record, &plenty, NULL), 0);
		assert_int_equal(end_instance(state->store, i, "expired"), 0);
	}
	assert_int_equal(store_history(state->store, NULL, &owner, 9, &entries, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(entries[0].id, "00000003");
	assert_string_equal(entries[1].id, "00000001");
	history_free(entries, count);
	/* what an older stint wrote is nobody's, also not that of the user of the number -1 */
	run_sql(state, "UPDATE history SET owner_uid = -1");
	assert_int_equal(store_history(state->store, NULL, &nobody, 9, &entries, &count, NULL), 0);
	assert_int_equal(count, 0);
	history_free(entries, count);
}

static void store_history_by_id(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	size_t count = 0;

	for (unsigned i = 0; i < 3; i++) {
		must_admit(state->store, "web", i);
		assert_int_equal(end_instance(state->store, i, "expired"), 0);
	}
	assert_int_equal(store_history(state->store, "00000001", NULL, 9, &entries, &count, NULL),
			 0);
	assert_int_equal(count, 1);
	assert_string_equal(entries[0].id, "00000001");
	history_free(entries, count);
}

/* Instance i ended at i, so 0 is the oldest. */
static void assert_pruned(struct state *state, int64_t before, size_t keep, size_t removed,
			  size_t left)
{
	struct history_entry *entries = NULL;
	size_t count = 0;

	assert_int_equal(store_prune(state->store, before, keep, &count, NULL), 0);
	assert_int_equal(count, removed);
	assert_int_equal(store_history(state->store, NULL, NULL, 99, &entries, &count, NULL), 0);
	assert_int_equal(count, left);
	if (left)
		assert_string_equal(entries[0].id, "00000009");
	history_free(entries, count);
}

static void store_prune_by_age_and_number(void **data)
{
	struct state *state = *data;

	for (unsigned i = 0; i < 10; i++) {
		must_admit(state->store, "web", i);
		assert_int_equal(end_instance(state->store, i, "expired"), 0);
	}
	assert_pruned(state, INT64_MIN, SIZE_MAX, 0, 10);
	assert_pruned(state, 3, SIZE_MAX, 3, 7);
	assert_pruned(state, INT64_MIN, 5, 2, 5);
	assert_pruned(state, 0, 5, 0, 5);
	assert_pruned(state, INT64_MIN, 0, 5, 0);
	/* and the history goes on */
	must_admit(state->store, "web", 9);
	assert_int_equal(end_instance(state->store, 9, "expired"), 0);
	assert_pruned(state, INT64_MIN, 5, 0, 1);
}

static void store_history_keeps_the_newest_10000(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	size_t count = 0;

	run_sql(state, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		       " WHERE i < 10003) INSERT INTO history (seq, id, name, created_ns, ended_ns,"
		       " reason, exit_status, exit_signal)"
		       " SELECT i, 'id', 'old', 0, 0, 'expired', 0, 0 FROM n");
	must_admit(state->store, "web", 1);
	assert_int_equal(end_instance(state->store, 1, "expired"), 0);
	assert_int_equal(store_history(state->store, NULL, NULL, SIZE_MAX, &entries, &count, NULL),
			 0);
	assert_int_equal(count, 10000);
	assert_string_equal(entries[0].name, "web");
	assert_string_equal(entries[9999].name, "old");
	history_free(entries, count);
	run_sql(state, "CREATE TABLE check_1 AS SELECT 1 / (count(*) = 10000) AS x FROM history");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(store_finish_twice),
		WITH_STORE(store_finish_never_admitted),
		WITH_STORE(store_history_every_field),
		WITH_STORE(store_history_newest_first_of_one_name),
		WITH_STORE(store_history_of_one_owner),
		WITH_STORE(store_history_by_id),
		WITH_STORE(store_prune_by_age_and_number),
		WITH_STORE(store_history_keeps_the_newest_10000),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
