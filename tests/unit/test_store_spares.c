/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/store: pools, and the instances that were started ahead for them. */
#include "store/spares.h"
#include "store_rig.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define ONE "000000a1"
#define TWO "000000a2"

static const struct pool web = {.template_name = (char *)"hello",
				.zone = (char *)"default",
				.source = (char *)"hello",
				.size = 2,
				.max_age_ns = 7};

static int admit_spare(struct store *store, unsigned number, struct error *err)
{
	const struct admission admission = {.addresses = plenty.addresses, .likeness = "alike"};
	cleanup_record struct record *record = make_record("n", number);

	free(record->template_name);
	record->template_name = xstrdup("hello");
	return store_admit(store, record, &admission, err);
}

static void must_have_pool(struct store *store, struct pool *ret_pool)
{
	assert_int_equal(store_pool_find(store, "hello", "default", ret_pool, NULL), 1);
}

static int claim(struct store *store, const char *id, const char *name, struct record **ret_record,
		 struct error *err)
{
	cleanup_record struct record *wish = make_record(name, 0);
	const struct claim claim = {
		.grant = &wish->grant, .plan = "plan", .created_ns = 99, .cpu_millis = 500};

	add_port(wish, "127.0.0.1", 8080);
	snprintf(wish->grant.id, sizeof(wish->grant.id), "%s", id);
	return store_spare_claim(store, &claim, ret_record, err);
}

static void store_pool_set_and_find(void **data)
{
	struct state *state = *data;
	cleanup_pool struct pool pool = {0};

	assert_int_equal(store_pool_find(state->store, "hello", "default", &pool, NULL), 0);
	assert_null(pool.template_name);
	assert_int_equal(store_pool_set(state->store, &web, NULL), 0);
	must_have_pool(state->store, &pool);
	assert_int_equal(pool.size, 2);
	assert_int_equal(pool.max_age_ns, 7);
	assert_null(pool.likeness);
	assert_int_equal(store_pool_find(state->store, "hello", "other", &pool, NULL), 0);
}

static void store_pool_note_failure_counts_until_one_succeeds(void **data)
{
	struct state *state = *data;

	assert_int_equal(store_pool_set(state->store, &web, NULL), 0);
	assert_int_equal(admit_spare(state->store, 0xa1, NULL), 0);
	for (uint32_t i = 1; i <= 2; i++) {
		cleanup_pool struct pool pool = {0};

		assert_int_equal(store_pool_note_failure(state->store, &web, 40 + i, "why", NULL),
				 0);
		must_have_pool(state->store, &pool);
		assert_int_equal(pool.failures, i);
		assert_int_equal(pool.failed_ns, 40 + i);
		assert_string_equal(pool.error, "why");
	}
	assert_int_equal(store_spare_ready(state->store, ONE, 5, NULL), 0);
	{
		cleanup_pool struct pool pool = {0};

		must_have_pool(state->store, &pool);
		assert_int_equal(pool.failures, 0);
		assert_null(pool.error);
		assert_int_equal(pool.starts, 1);
		assert_int_equal(pool.ready_ns, 5);
		assert_int_equal(pool.ready, 1);
	}
}

static void store_admit_of_a_spare_up_to_the_size(void **data)
{
	struct state *state = *data;
	struct error err = {0};

	assert_int_equal(admit_spare(state->store, 0xa1, &err), -EPERM);
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_int_equal(store_pool_set(state->store, &web, NULL), 0);
	assert_int_equal(admit_spare(state->store, 0xa1, NULL), 0);
	assert_int_equal(admit_spare(state->store, 0xa2, NULL), 0);
	assert_int_equal(admit_spare(state->store, 0xa3, &err), -EPERM);
	assert_non_null(strstr(err.text, "full"));
}

static void store_spare_claim_gives_everything_once(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *record = NULL, *again = NULL;
	cleanup_pool struct pool pool = {0};
	struct error err = {0};

	assert_int_equal(store_pool_set(state->store, &web, NULL), 0);
	assert_int_equal(admit_spare(state->store, 0xa1, NULL), 0);
	assert_int_equal(claim(state->store, ONE, "mine", &record, NULL), 0);
	assert_string_equal(record->grant.name, "mine");
	assert_string_equal(record->plan, "plan");
	assert_int_equal(record->created_ns, 99);
	assert_int_equal(record->cpu_millis, 500);
	assert_int_equal(record->grant.n_ports, 1);
	assert_int_equal(record->grant.ports[0].host_port, 8080);
	assert_int_equal(claim(state->store, ONE, "other", &again, &err), -ESTALE);
	assert_null(again);
	must_have_pool(state->store, &pool);
	assert_int_equal(pool.hits, 1);
	assert_int_equal(pool.spares, 0);
}

static void store_spare_claim_refused_leaves_a_spare(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *record = NULL, *left = NULL;
	struct error err = {0};

	assert_int_equal(store_pool_set(state->store, &web, NULL), 0);
	assert_int_equal(admit_spare(state->store, 0xa1, NULL), 0);
	assert_int_equal(admit_spare(state->store, 0xa2, NULL), 0);
	assert_int_equal(claim(state->store, ONE, "mine", &record, NULL), 0);
	record_cleanup(&record);
	assert_int_equal(claim(state->store, TWO, "mine", &record, &err), -EEXIST);
	/* the port is the first one's */
	assert_int_equal(claim(state->store, TWO, "yours", &record, &err), -EADDRINUSE);
	assert_null(record);
	assert_int_equal(store_load_id(state->store, TWO, &left, NULL), 0);
	assert_string_equal(left->grant.name, "spare." TWO);
	assert_int_equal(left->grant.n_ports, 0);
}

static void store_spare_list_tells_who_is_ready(void **data)
{
	struct state *state = *data;
	struct spare *spares = NULL;
	cleanup_free char *newest = NULL;
	size_t n = 0;

	assert_int_equal(store_pool_set(state->store, &web, NULL), 0);
	assert_int_equal(admit_spare(state->store, 0xa1, NULL), 0);
	assert_int_equal(admit_spare(state->store, 0xa2, NULL), 0);
	assert_int_equal(store_spare_ready(state->store, TWO, 1, NULL), 0);
	assert_int_equal(store_spare_list(state->store, "hello", "default", &spares, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_string_equal(spares[0].record->grant.id, ONE);
	assert_string_equal(spares[0].likeness, "alike");
	assert_false(spares[0].ready);
	assert_true(spares[1].ready);
	spare_list_free(spares, n);
	/* until somebody has looked whether they are what is wanted now */
	assert_int_equal(store_pool_set(state->store, &web, NULL), 0);
	assert_int_equal(store_spare_list(state->store, "hello", "default", &spares, &n, NULL), 0);
	assert_false(spares[1].ready);
	spare_list_free(spares, n);
	assert_int_equal(store_spare_ready(state->store, TWO, -1, NULL), 0);
	/* who is not ready is given up first */
	assert_int_equal(store_spare_newest(state->store, &newest, NULL), 0);
	assert_string_equal(newest, ONE);
}

static void store_spare_take_is_for_one_alone(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *record = NULL;
	cleanup_strv char **orphans = NULL;

	assert_int_equal(store_pool_set(state->store, &web, NULL), 0);
	assert_int_equal(admit_spare(state->store, 0xa1, NULL), 0);
	assert_int_equal(store_spare_orphans(state->store, &orphans, NULL), 0);
	assert_int_equal(strv_length(orphans), 0);
	assert_int_equal(store_spare_take(state->store, ONE, NULL), 1);
	assert_int_equal(store_spare_take(state->store, ONE, NULL), 0);
	assert_int_equal(claim(state->store, ONE, "mine", &record, NULL), -ESTALE);
	assert_int_equal(store_spare_orphans(state->store, &orphans, NULL), 0);
	assert_string_equal(orphans[0], ONE);
}

static void store_pool_remove_leaves_orphans(void **data)
{
	struct state *state = *data;
	cleanup_strv char **orphans = NULL;
	struct error err = {0};

	assert_int_equal(store_pool_remove(state->store, "hello", "default", &err), -ENOENT);
	assert_int_equal(store_pool_set(state->store, &web, NULL), 0);
	assert_int_equal(admit_spare(state->store, 0xa1, NULL), 0);
	assert_int_equal(store_pool_remove(state->store, "hello", "default", NULL), 0);
	assert_int_equal(store_spare_orphans(state->store, &orphans, NULL), 0);
	assert_int_equal(strv_length(orphans), 1);
	assert_int_equal(end_instance(state->store, 0xa1, "gone"), 0);
	strv_cleanup(&orphans);
	assert_int_equal(store_spare_orphans(state->store, &orphans, NULL), 0);
	assert_int_equal(strv_length(orphans), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(store_pool_set_and_find),
		WITH_STORE(store_pool_note_failure_counts_until_one_succeeds),
		WITH_STORE(store_admit_of_a_spare_up_to_the_size),
		WITH_STORE(store_spare_claim_gives_everything_once),
		WITH_STORE(store_spare_claim_refused_leaves_a_spare),
		WITH_STORE(store_spare_list_tells_who_is_ready),
		WITH_STORE(store_spare_take_is_for_one_alone),
		WITH_STORE(store_pool_remove_leaves_orphans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
