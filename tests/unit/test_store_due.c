/* SPDX-License-Identifier: Apache-2.0 */
/* Which instances a sweep must look at, as the store tells. */
#include "store_rig.h"
#include "store/store.h"
#include "store/zones.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#define BOOT "3b1f1f6a-0000-4000-8000-000000000000" /* of make_record */
#define EARLIER "1b1f1f6a-0000-4000-8000-000000000000"
#define LATER "5b1f1f6a-0000-4000-8000-000000000000"

static void admit_until(struct store *store, unsigned number, enum lease_clock clock,
			int64_t deadline_ns)
{
	cleanup_free char *name = xasprintf("n%u", number);
	cleanup_record struct record *record = make_record(name, number);

	record->grant.lease.clock = clock;
	record->grant.lease.deadline_ns = deadline_ns;
	assert_int_equal(store_admit(store, record, &plenty, NULL), 0);
}

/* The ids of those that are due, in the order of their numbers: "1 3". */
static void check_due(struct store *store, const char *boot_id, int64_t boottime_ns,
		      int64_t wall_ns, const char *expected)
{
	cleanup_strv char **ids = NULL;
	cleanup_text struct text found = {0};

	assert_int_equal(store_list_due(store, boot_id, boottime_ns, wall_ns, &ids, NULL), 0);
	for (unsigned number = 0; number < 10; number++) {
		cleanup_free char *id = xasprintf("%08x", number);

		if (strv_contains(ids, id))
			text_addf(&found, "%s%u", found.length ? " " : "", number);
	}
	assert_string_equal(found.data ? found.data : "", expected);
}

static void store_list_due_by_clock(void **data)
{
	struct state *state = *data;

	admit_until(state->store, 1, LEASE_BOOTTIME, 100);
	admit_until(state->store, 2, LEASE_BOOTTIME, 200);
	admit_until(state->store, 3, LEASE_WALL, 5000);
	admit_until(state->store, 4, LEASE_WALL, 150);
	check_due(state->store, BOOT, 0, 0, "");
	check_due(state->store, BOOT, 100, 0, "");
	check_due(state->store, BOOT, 101, 0, "1");
	check_due(state->store, BOOT, 1000, 0, "1 2");
	check_due(state->store, BOOT, 0, 1000, "4");
	check_due(state->store, BOOT, 1000, 10000, "1 2 3 4");
}

static void store_list_due_of_another_boot(void **data)
{
	struct state *state = *data;

	admit_until(state->store, 1, LEASE_BOOTTIME, 100);
	admit_until(state->store, 2, LEASE_WALL, 100);
	check_due(state->store, EARLIER, 0, 0, "1 2");
	check_due(state->store, LATER, 0, 0, "1 2");
	check_due(state->store, BOOT, 0, 0, "");
}

static void store_list_due_follows_the_lease(void **data)
{
	struct state *state = *data;
	const struct lease longer = {.clock = LEASE_WALL, .deadline_ns = 900};

	admit_until(state->store, 1, LEASE_BOOTTIME, 100);
	assert_int_equal(store_set_lease(state->store, "00000001", &longer, NULL), 0);
	check_due(state->store, BOOT, 500, 500, "");
	check_due(state->store, BOOT, 500, 901, "1");
}

static void store_list_ids_of_all(void **data)
{
	struct state *state = *data;
	cleanup_strv char **none = NULL, **ids = NULL;

	assert_int_equal(store_list_ids(state->store, true, &none, NULL), 0);
	assert_int_equal(strv_length(none), 0);
	for (unsigned i = 1; i <= 3; i++)
		admit_until(state->store, i, LEASE_WALL, 1);
	end_instance(state->store, 2, "expired");
	assert_int_equal(store_list_ids(state->store, true, &ids, NULL), 0);
	assert_int_equal(strv_length(ids), 2);
	assert_true(strv_contains(ids, "00000001") && strv_contains(ids, "00000003"));
}

static void store_zone_peer_is_another_one(void **data)
{
	struct state *state = *data;
	struct zone_member peer;

	assert_int_equal(store_zone_peer(state->store, "default", "00000001", &peer, NULL), 0);
	must_admit(state->store, "a", 1);
	assert_int_equal(store_zone_peer(state->store, "default", "00000001", &peer, NULL), 0);
	must_admit(state->store, "b", 2);
	assert_int_equal(store_zone_peer(state->store, "default", "00000001", &peer, NULL), 1);
	assert_string_equal(peer.name, "b");
	assert_int_equal(store_zone_peer(state->store, "other", "00000001", &peer, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(store_list_due_by_clock),
		WITH_STORE(store_list_due_of_another_boot),
		WITH_STORE(store_list_due_follows_the_lease),
		WITH_STORE(store_list_ids_of_all),
		WITH_STORE(store_zone_peer_is_another_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
