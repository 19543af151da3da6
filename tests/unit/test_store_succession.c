/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/store: one instance takes the place of another one. */
#include "store/succession.h"
#include "store_rig.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define OLD 0xa1
#define NEW 0xa2
#define OTHER 0xa3
#define OLD_ID "000000a1"
#define NEW_ID "000000a2"

static struct record *make(const char *name, unsigned number, int64_t deadline_ns)
{
	struct record *record = make_record(name, number);

	record->grant.lease.deadline_ns = deadline_ns;
	add_port(record, "127.0.0.1", 8080);
	return record;
}

static int admit_successor(struct store *store, unsigned number, const char *predecessor,
			   struct error *err)
{
	const struct admission admission = {.addresses = plenty.addresses,
					    .predecessor = predecessor};
	cleanup_record struct record *record = make("n", number, 7);
	int r;

	record->grant.ports[0].inside_port = 99;
	r = store_admit(store, record, &admission, err);
	if (r == 0)
		assert_memory_equal(record->grant.name, "next.", 5);
	return r;
}

/* One that runs, and another that is to take its place. */
static void begin(struct store *store)
{
	cleanup_record struct record *record = make("n", OLD, 42);

	assert_int_equal(store_admit(store, record, &plenty, NULL), 0);
	assert_int_equal(admit_successor(store, NEW, OLD_ID, NULL), 0);
}

static struct record *load(struct store *store, const char *name)
{
	struct record *record = NULL;

	store_load(store, name, &record, NULL);
	return record;
}

static size_t successions(struct store *store)
{
	struct succession *list = NULL;
	size_t n = 0;

	assert_int_equal(store_succession_list(store, &list, &n, NULL), 0);
	succession_list_free(list, n);
	return n;
}

static void store_admit_leaves_name_and_ports_to_the_predecessor(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *old = NULL, *new = NULL;

	begin(state->store);
	old = load(state->store, "n");
	new = load(state->store, NEW_ID);
	assert_string_equal(old->grant.id, OLD_ID);
	assert_int_equal(old->grant.n_ports, 1);
	assert_string_equal(new->grant.name, "next." NEW_ID);
	assert_int_equal(new->grant.n_ports, 0);
}

static void store_succeed_gives_name_ports_and_lease(void **data)
{
	struct state *state = *data;
	struct lease later = {.deadline_ns = 4242};
	cleanup_record struct record *old = NULL, *new = NULL;

	begin(state->store);
	assert_int_equal(store_set_lease(state->store, OLD_ID, &later, NULL), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_succeed(state->store, NEW_ID, NULL), 0);
		cleanup_record struct record *again = load(state->store, "n");

		assert_string_equal(again->grant.id, NEW_ID);
	}
	new = load(state->store, "n");
	old = load(state->store, OLD_ID);
	assert_int_equal(new->grant.lease.deadline_ns, 4242);
	assert_int_equal(new->grant.n_ports, 1);
	assert_int_equal(new->grant.ports[0].host_port, 8080);
	assert_int_equal(new->grant.ports[0].inside_port, 99);
	assert_string_equal(old->grant.name, "old." OLD_ID);
	assert_int_equal(old->grant.n_ports, 0);
	assert_int_equal(successions(state->store), 1);
	assert_int_equal(end_instance(state->store, OLD, "replaced"), 0);
	assert_int_equal(successions(state->store), 0);
}

static void store_finish_of_a_successor_leaves_everything_as_it_was(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *old = NULL;

	begin(state->store);
	assert_int_equal(end_instance(state->store, NEW, "failed"), 0);
	assert_int_equal(successions(state->store), 0);
	old = load(state->store, "n");
	assert_string_equal(old->grant.id, OLD_ID);
	assert_int_equal(old->grant.n_ports, 1);
	assert_int_equal(store_succeed(state->store, NEW_ID, NULL), -ENOENT);
	assert_int_equal(admit_successor(state->store, OTHER, OLD_ID, NULL), 0);
}

static void store_succeed_when_the_predecessor_has_ended(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *new = NULL;

	begin(state->store);
	assert_int_equal(end_instance(state->store, OLD, "exited"), 0);
	assert_int_equal(store_succeed(state->store, NEW_ID, NULL), 0);
	new = load(state->store, "n");
	assert_string_equal(new->grant.id, NEW_ID);
	assert_int_equal(new->grant.lease.deadline_ns, 7);
	assert_int_equal(new->grant.ports[0].host_port, 8080);
	assert_int_equal(successions(state->store), 0);
}

static void store_admit_refuses_a_second_successor(void **data)
{
	struct state *state = *data;
	struct error err;

	begin(state->store);
	assert_int_equal(admit_successor(state->store, OTHER, OLD_ID, &err), -EPERM);
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_int_equal(admit_successor(state->store, OTHER, NEW_ID, &err), -EPERM);
	assert_int_equal(admit_successor(state->store, OTHER, "ffffffff", &err), -ENOENT);
}

static void store_history_has_the_name_of_both(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	size_t n = 0;

	begin(state->store);
	assert_int_equal(store_succeed(state->store, NEW_ID, NULL), 0);
	assert_int_equal(end_instance(state->store, OLD, "replaced"), 0);
	assert_int_equal(admit_successor(state->store, OTHER, NEW_ID, NULL), 0);
	assert_int_equal(end_instance(state->store, OTHER, "failed"), 0);
	assert_int_equal(store_history(state->store, "n", NULL, 10, &entries, &n, NULL), 0);
	assert_int_equal(n, 2);
	history_free(entries, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(store_admit_leaves_name_and_ports_to_the_predecessor),
		WITH_STORE(store_succeed_gives_name_ports_and_lease),
		WITH_STORE(store_finish_of_a_successor_leaves_everything_as_it_was),
		WITH_STORE(store_succeed_when_the_predecessor_has_ended),
		WITH_STORE(store_admit_refuses_a_second_successor),
		WITH_STORE(store_history_has_the_name_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
