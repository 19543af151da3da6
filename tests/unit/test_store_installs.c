/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/store: installs that are live, what changed below instances, generations on trial. */
#include "store_rig.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "store/installs.h"
#include "store/taints.h"

#include <errno.h>
#include <string.h>

static char *const app_paths[] = {(char *)"/opt/app", (char *)"/opt/data", NULL};

static void add_app(struct store *store, bool live)
{
	const struct install install = {
		.name = (char *)"app", .paths = (char **)app_paths, .live = live};

	assert_int_equal(store_install_add(store, &install, NULL), 0);
}

static struct generation generation_of(uint32_t number)
{
	return (struct generation){.number = number, .backend = (char *)"copy"};
}

static void admit_on(struct store *store, const char *name, unsigned number,
		     const struct trial *trial)
{
	cleanup_record struct record *record = make_record(name, number);
	struct admission admission = plenty;

	strv_free(record->layers);
	record->layers = strv_copy(app_paths);
	admission.trial = trial;
	assert_int_equal(store_admit(store, record, &admission, NULL), 0);
}

/* The lower of the first directory, of an instance that would be started now. */
static void expect_lower(struct store *store, const struct trial *trial, const char *expected)
{
	cleanup_strv char **lowers = NULL;

	assert_int_equal(store_find_lowers(store, app_paths, trial, &lowers, NULL), 0);
	assert_string_equal(lowers[0], expected);
}

static uint32_t tainted(struct store *store, const char *name)
{
	cleanup_record struct record *record = NULL;

	assert_int_equal(store_load(store, name, &record, NULL), 0);
	return record->tainted;
}

static void taint(struct store *store, const char *path, unsigned change, size_t expected_ids)
{
	struct taint one = {.path = (char *)path, .change = change};
	const struct taint_list taints = {.list = &one, .n = 1};
	cleanup_strv char **ids = NULL;

	assert_int_equal(store_taint(store, "app", &taints, &ids, NULL), 0);
	assert_int_equal(strv_length(ids), expected_ids);
}

static void store_find_lowers_of_a_live_install(void **data)
{
	struct state *state = *data;
	const struct generation first = generation_of(1);

	add_app(state->store, false);
	expect_lower(state->store, NULL, "");
	assert_int_equal(store_install_set_live(state->store, "app", NULL), 0);
	expect_lower(state->store, NULL, "app/0/0");
	assert_int_equal(store_generation_add(state->store, "app", &first, NULL), 0);
	expect_lower(state->store, NULL, "app/1/0");
	assert_int_equal(store_install_set_live(state->store, "app", NULL), 0);
	expect_lower(state->store, NULL, "app/0/0");
}

static void store_taint_marks_those_on_live_alone(void **data)
{
	struct state *state = *data;
	struct taint_list taints = {0};
	const struct generation first = generation_of(1);
	uint32_t instances, marked;

	add_app(state->store, true);
	admit_on(state->store, "a", 1, NULL);
	admit_on(state->store, "b", 2, NULL);
	assert_int_equal(store_generation_add(state->store, "app", &first, NULL), 0);
	admit_on(state->store, "c", 3, NULL);
	taint(state->store, "/opt/app/x\377\n", 2, 2);
	taint(state->store, "/opt/app/x\377\n", 2, 0);
	taint(state->store, "/opt/app/a", 0, 2);
	assert_int_equal(tainted(state->store, "a"), 2);
	assert_int_equal(tainted(state->store, "c"), 0);
	assert_int_equal(store_taints_load(state->store, "00000001", &taints, NULL), 0);
	assert_int_equal(taints.n, 2);
	assert_string_equal(taints.list[0].path, "/opt/app/a");
	assert_string_equal(taints.list[1].path, "/opt/app/x\377\n");
	assert_int_equal(taints.list[1].change, 2);
	taint_list_deinit(&taints);
	/* it goes with the instance */
	assert_int_equal(end_instance(state->store, 1, "over"), 0);
	assert_int_equal(store_taints_load(state->store, "00000001", &taints, NULL), 0);
	assert_int_equal(taints.n, 0);
	assert_int_equal(store_live_count(state->store, "app", &instances, &marked, NULL), 0);
	assert_int_equal(instances, 1);
	assert_int_equal(marked, 1);
}

static void store_taint_names_so_many_and_counts_all(void **data)
{
	struct state *state = *data;
	struct taint_list taints = {0};

	add_app(state->store, true);
	admit_on(state->store, "a", 1, NULL);
	for (int i = 0; i < TAINTS_NAMED_MAX + 7; i++) {
		cleanup_free char *path = xasprintf("/opt/app/%03d", i);

		taint(state->store, path, 0, 1);
	}
	assert_int_equal(tainted(state->store, "a"), TAINTS_NAMED_MAX + 7);
	assert_int_equal(store_taints_load(state->store, "00000001", &taints, NULL), 0);
	assert_int_equal(taints.n, TAINTS_NAMED_MAX);
	taint_list_deinit(&taints);
}

static void store_live_installs_are_those_with_instances(void **data)
{
	struct state *state = *data;
	cleanup_strv char **none = NULL, **one = NULL, **kept = NULL;

	add_app(state->store, true);
	assert_int_equal(store_live_installs(state->store, &none, NULL), 0);
	assert_int_equal(strv_length(none), 0);
	admit_on(state->store, "a", 1, NULL);
	assert_int_equal(store_live_installs(state->store, &one, NULL), 0);
	assert_int_equal(strv_length(one), 1);
	assert_string_equal(one[0], "app");
	/* of what is kept nobody sees a change any more */
	assert_int_equal(store_keep(state->store, "00000001", &ending_unknown, 1, NULL), 0);
	assert_int_equal(store_live_installs(state->store, &kept, NULL), 0);
	assert_int_equal(strv_length(kept), 0);
}

static void store_candidate_is_nobodys_until_it_is_accepted(void **data)
{
	struct state *state = *data;
	const struct generation first = generation_of(1), second = generation_of(2);
	const struct trial trial = {.install = "app", .generation = 2};
	struct error err;

	add_app(state->store, false);
	assert_int_equal(store_generation_add(state->store, "app", &first, NULL), 0);
	assert_int_equal(store_candidate_add(state->store, "app", &second, NULL), 0);
	expect_lower(state->store, NULL, "app/1/0");
	expect_lower(state->store, &trial, "app/2/0");
	admit_on(state->store, "canary", 1, &trial);
	assert_int_equal(store_candidate_drop(state->store, "app", &err), -EBUSY);
	assert_non_null(strstr(err.text, "tries a generation of 'app'"));
	assert_int_equal(end_instance(state->store, 1, "over"), 0);
	assert_int_equal(store_candidate_accept(state->store, "app", 3, NULL), -ENOENT);
	assert_int_equal(store_candidate_accept(state->store, "app", 2, NULL), 0);
	expect_lower(state->store, NULL, "app/2/0");
}

static void store_candidate_drop_leaves_what_there_was(void **data)
{
	struct state *state = *data;
	const struct generation first = generation_of(1), second = generation_of(2);
	struct generation *list = NULL;
	size_t n = 0;

	add_app(state->store, false);
	assert_int_equal(store_candidate_drop(state->store, "app", NULL), 0);
	assert_int_equal(store_generation_add(state->store, "app", &first, NULL), 0);
	assert_int_equal(store_candidate_add(state->store, "app", &second, NULL), 0);
	assert_int_equal(store_candidate_drop(state->store, "app", NULL), 0);
	assert_int_equal(store_candidate_drop(state->store, "app", NULL), 0);
	assert_int_equal(store_generation_list(state->store, "app", &list, &n, NULL), 0);
	assert_int_equal(n, 1);
	generation_list_free(list, n);
	expect_lower(state->store, NULL, "app/1/0");
	assert_int_equal(store_generation_add(state->store, "app", &second, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(store_find_lowers_of_a_live_install),
		WITH_STORE(store_taint_marks_those_on_live_alone),
		WITH_STORE(store_taint_names_so_many_and_counts_all),
		WITH_STORE(store_live_installs_are_those_with_instances),
		WITH_STORE(store_candidate_is_nobodys_until_it_is_accepted),
		WITH_STORE(store_candidate_drop_leaves_what_there_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
