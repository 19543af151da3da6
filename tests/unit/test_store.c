/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/store: admission, addresses, loading, listing and leases. */
#include "base/cleanup.h"
#include "base/text.h"
#include "store_rig.h"

#include <errno.h>
#include <string.h>

static void fill_record(struct record *record)
{
	record->grant.owner_uid = 4294967294U;
	record->grant.owner_gid = 100;
	record->grant.hold = true;
	record->grant.lease = (struct lease){
		.clock = LEASE_WALL,
		.source = LEASE_FROM_EXTEND,
		.deadline_ns = INT64_MAX,
		.length_ns = 7200 * NSEC_PER_SEC,
		.max_ns = 1,
	};
	record->created_ns = 1790000000 * NSEC_PER_SEC + 1;
	add_port(record, "127.0.0.1", 65535);
	add_port(record, "fe80::1%a-long-interface", 0);
	strv_add(&record->layers, "/opt/a server");
	strv_add(&record->layers, "");
	strv_add(&record->layers, "/opt/\xff\xfe new\nline:,'\"\\");
}

static void assert_ports_equal(const struct grant *a, const struct grant *b)
{
	assert_int_equal(a->n_ports, b->n_ports);
	for (size_t i = 0; i < a->n_ports; i++) {
		assert_string_equal(a->ports[i].name, b->ports[i].name);
		assert_string_equal(a->ports[i].scheme, b->ports[i].scheme);
		assert_string_equal(a->ports[i].host_address, b->ports[i].host_address);
		assert_int_equal(a->ports[i].host_port, b->ports[i].host_port);
		assert_int_equal(a->ports[i].inside_port, b->ports[i].inside_port);
	}
}

static void assert_lease_equal(const struct lease *a, const struct lease *b)
{
	assert_int_equal(a->clock, b->clock);
	assert_int_equal(a->source, b->source);
	assert_int_equal(a->deadline_ns, b->deadline_ns);
	assert_int_equal(a->length_ns, b->length_ns);
	assert_int_equal(a->max_ns, b->max_ns);
}

static void assert_record_equal(const struct record *a, const struct record *b)
{
	assert_string_equal(a->grant.id, b->grant.id);
	assert_string_equal(a->grant.name, b->grant.name);
	assert_int_equal(a->grant.owner_uid, b->grant.owner_uid);
	assert_int_equal(a->grant.owner_gid, b->grant.owner_gid);
	assert_string_equal(a->grant.owner, b->grant.owner);
	assert_lease_equal(&a->grant.lease, &b->grant.lease);
	assert_ports_equal(&a->grant, &b->grant);
	assert_int_equal(a->grant.hold, b->grant.hold);
	assert_string_equal(a->template_name, b->template_name);
	assert_string_equal(a->boot_id, b->boot_id);
	assert_int_equal(a->created_ns, b->created_ns);
	assert_string_equal(a->plan, b->plan);
	assert_string_equal(a->cgroup, b->cgroup);
	assert_int_equal(a->address, b->address);
	assert_int_equal(strv_length(a->layers), strv_length(b->layers));
	for (size_t i = 0; a->layers && a->layers[i]; i++)
		assert_string_equal(a->layers[i], b->layers[i]);
}

static void store_load_every_field(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *written = make_record("web", 0xdeadbeef), *read = NULL;

	fill_record(written);
	assert_int_equal(store_admit(state->store, written, &plenty, NULL), 0);
	assert_int_equal(written->address, plenty.addresses.base);
	assert_int_equal(store_load(state->store, "web", &read, NULL), 0);
	assert_record_equal(written, read);
}

static void store_load_empty_fields(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *written = make_record("web", 1), *read = NULL;

	cleanup_free_pointer(&written->plan);
	written->plan = xstrdup("");
	cleanup_free_pointer(&written->cgroup);
	assert_int_equal(store_admit(state->store, written, &plenty, NULL), 0);
	assert_int_equal(store_load(state->store, "web", &read, NULL), 0);
	assert_string_equal(read->plan, "");
	assert_null(read->cgroup);
	assert_int_equal(strv_length(read->layers), 0);
	assert_int_equal(read->grant.n_ports, 0);
}

static void store_load_by_id_only_when_no_name_matches(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *by_id = NULL, *by_name = NULL;

	must_admit(state->store, "first", 0x11111111);
	must_admit(state->store, "second", 0x22222222);
	assert_int_equal(store_load(state->store, "22222222", &by_id, NULL), 0);
	assert_string_equal(by_id->grant.name, "second");
	must_admit(state->store, "11111111", 0x33333333);
	assert_int_equal(store_load(state->store, "11111111", &by_name, NULL), 0);
	assert_string_equal(by_name->grant.id, "33333333");
}

static void store_load_id_whatever_the_names_are(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *record = NULL, *none = NULL;

	must_admit(state->store, "first", 0x11111111);
	must_admit(state->store, "11111111", 0x33333333);
	assert_int_equal(store_load_id(state->store, "11111111", &record, NULL), 0);
	assert_string_equal(record->grant.name, "first");
	assert_int_equal(store_load_id(state->store, "first", &none, NULL), -ENOENT);
}

static void store_load_unknown(void **data)
{
	struct state *state = *data;
	struct record *record = NULL;
	struct error err = {0};

	assert_int_equal(store_load(state->store, "nobody", &record, &err), -ENOENT);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_string_equal(err.text, "no instance 'nobody'");
	assert_null(record);
}

static void store_admit_name_taken(void **data)
{
	struct state *state = *data;
	struct error err = {0};
	uint32_t address = 7;

	must_admit(state->store, "web", 1);
	assert_int_equal(admit_in(state->store, "web", 2, &plenty, &address, &err), -EEXIST);
	assert_int_equal(err.kind, ERROR_EXISTS);
	assert_non_null(strstr(err.text, "'alice'"));
	assert_int_equal(address, 0);
	assert_int_equal(end_instance(state->store, 1, "expired"), 0);
	must_admit(state->store, "web", 2);
}

static void store_admit_id_taken(void **data)
{
	struct state *state = *data;
	struct error err = {0};

	must_admit(state->store, "one", 1);
	assert_int_equal(admit_in(state->store, "two", 1, &plenty, NULL, &err), -EEXIST);
	assert_int_equal(err.kind, ERROR_FAILED);
}

static void store_name_taken_free_and_taken(void **data)
{
	struct state *state = *data;
	bool taken = true;

	assert_int_equal(store_name_taken(state->store, "web", &taken, NULL), 0);
	assert_false(taken);
	must_admit(state->store, "web", 1);
	assert_int_equal(store_name_taken(state->store, "web", &taken, NULL), 0);
	assert_true(taken);
}

static int admit_port(struct store *store, unsigned number, const char *address, uint16_t port,
		      struct error *err)
{
	char name[16];
	cleanup_record struct record *record = NULL;

	snprintf(name, sizeof(name), "n%u", number);
	record = make_record(name, number);
	add_port(record, address, port);
	return store_admit(store, record, &plenty, err);
}

static void store_admit_port_taken(void **data)
{
	struct state *state = *data;
	struct error err = {0};

	assert_int_equal(admit_port(state->store, 1, "127.0.0.1", 8080, NULL), 0);
	assert_int_equal(admit_port(state->store, 2, "127.0.0.1", 8080, &err), -EADDRINUSE);
	assert_int_equal(err.kind, ERROR_FAILED);
	assert_non_null(strstr(err.text, "8080"));
	assert_non_null(strstr(err.text, "'n1'"));
	assert_int_equal(end_instance(state->store, 1, "expired"), 0);
	assert_int_equal(admit_port(state->store, 2, "127.0.0.1", 8080, NULL), 0);
}

static void store_admit_port_on_other_address(void **data)
{
	struct state *state = *data;

	assert_int_equal(admit_port(state->store, 1, "127.0.0.1", 8080, NULL), 0);
	assert_int_equal(admit_port(state->store, 2, "127.0.0.2", 8080, NULL), 0);
	assert_int_equal(admit_port(state->store, 3, "127.0.0.1", 8081, NULL), 0);
}

static void store_admit_port_not_chosen_yet(void **data)
{
	struct state *state = *data;

	assert_int_equal(admit_port(state->store, 1, "127.0.0.1", 0, NULL), 0);
	assert_int_equal(admit_port(state->store, 2, "127.0.0.1", 0, NULL), 0);
}

static void store_admit_same_port_twice_in_one_record(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *record = make_record("web", 1);
	bool taken = true;

	add_port(record, "127.0.0.1", 8080);
	add_port(record, "127.0.0.1", 8080);
	assert_true(store_admit(state->store, record, &plenty, NULL) < 0);
	assert_int_equal(store_name_taken(state->store, "web", &taken, NULL), 0);
	assert_false(taken);
}

/* Addresses. */

static uint32_t address_of(struct store *store, unsigned number, const struct admission *range)
{
	struct error err = {0};
	uint32_t address = 0;
	char name[16];

	snprintf(name, sizeof(name), "n%u", number);
	if (admit_in(store, name, number, range, &address, &err) < 0)
		fail_msg("%s", err.text);
	return address;
}

static void store_admit_address_not_given_again_at_once(void **data)
{
	struct state *state = *data;

	assert_int_equal(address_of(state->store, 1, &plenty), plenty.addresses.base);
	assert_int_equal(end_instance(state->store, 1, "expired"), 0);
	assert_int_equal(address_of(state->store, 2, &plenty), plenty.addresses.base + 1);
}

static void store_admit_address_wraps_around(void **data)
{
	struct state *state = *data;
	const struct admission range = {.addresses = {.base = 100, .count = 4}};

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(address_of(state->store, i, &range), 100 + i);
	end_instance(state->store, 1, "expired");
	end_instance(state->store, 2, "expired");
	assert_int_equal(address_of(state->store, 10, &range), 101);
	assert_int_equal(address_of(state->store, 11, &range), 102);
}

static void store_admit_addresses_exhausted(void **data)
{
	struct state *state = *data;
	const struct admission range = {.addresses = {.base = 0x0a000001, .count = 2}};
	struct error err = {0};
	bool taken = true;

	address_of(state->store, 1, &range);
	address_of(state->store, 2, &range);
	assert_int_equal(admit_in(state->store, "web", 3, &range, NULL, &err), -EADDRNOTAVAIL);
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_int_equal(err.code, -EADDRNOTAVAIL);
	assert_int_equal(store_lacks_room(&err), ROOM_OF_HOST);
	assert_non_null(strstr(err.text, "all 2 instance addresses from 10.0.0.1 on"));
	assert_non_null(strstr(err.text, "would end the oldest of"));
	assert_int_equal(store_name_taken(state->store, "web", &taken, NULL), 0);
	assert_false(taken);
}

static uint32_t id_base_of(struct store *store, unsigned number, const struct admission *admission)
{
	cleanup_free char *name = xasprintf("web-%u", number);
	cleanup_record struct record *record = make_record(name, number);
	struct error err = {0};

	if (store_admit(store, record, admission, &err) < 0)
		fail_msg("%s", err.text);
	return record->id_base;
}

#define FIRST 1310720000U

static void store_admit_ids_belong_to_one(void **data)
{
	struct state *state = *data;
	const struct admission admission = {.addresses = {100, 100}, .ids = {FIRST, 3}};
	cleanup_record struct record *record = make_record("web", 9), *read = NULL;
	struct error err = {0};

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(id_base_of(state->store, i, &admission), FIRST + i * 65536);
	assert_int_equal(store_admit(state->store, record, &admission, &err), -EADDRNOTAVAIL);
	assert_non_null(strstr(err.text, "all 3 ranges of user ids from 1310720000 on"));
	/* a range is free again with the record, and not before */
	assert_int_equal(end_instance(state->store, 1, "expired"), 0);
	assert_int_equal(id_base_of(state->store, 4, &admission), FIRST + 65536);
	assert_int_equal(store_load(state->store, "web-4", &read, NULL), 0);
	assert_int_equal(read->id_base, FIRST + 65536);
}

static void store_admit_without_ids(void **data)
{
	struct state *state = *data;

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(id_base_of(state->store, i, &plenty), 0);
}

static void store_admit_empty_range(void **data)
{
	struct state *state = *data;
	const struct admission none = {.addresses = {.base = 1, .count = 0}};

	assert_int_equal(admit_in(state->store, "web", 1, &none, NULL, NULL), -EADDRNOTAVAIL);
}

static void store_admit_range_was_changed(void **data)
{
	struct state *state = *data;
	const struct admission before = {.addresses = {.base = 100, .count = 10}};
	const struct admission after = {.addresses = {.base = 0xfffffff0, .count = 16}};

	assert_int_equal(address_of(state->store, 1, &before), 100);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(address_of(state->store, 2 + i, &after), 0xfffffff0 + i);
	assert_int_equal(admit_in(state->store, "web", 99, &after, NULL, NULL), -EADDRNOTAVAIL);
	assert_int_equal(address_of(state->store, 20, &before), 101);
}

/* List, lease. */

static void store_list_oldest_first(void **data)
{
	struct state *state = *data;
	struct record **records = NULL;
	size_t count = 0;

	for (unsigned i = 5; i > 0; i--)
		assert_int_equal(admit_port(state->store, i, "127.0.0.1", (uint16_t)i, NULL), 0);
	end_instance(state->store, 4, "expired");
	assert_int_equal(store_list(state->store, &records, &count, NULL), 0);
	assert_int_equal(count, 4);
	assert_string_equal(records[0]->grant.name, "n5");
	assert_string_equal(records[1]->grant.name, "n3");
	assert_int_equal(records[1]->grant.n_ports, 1);
	assert_int_equal(records[1]->grant.ports[0].host_port, 3);
	record_list_free(records, count);
}

static void store_list_empty(void **data)
{
	struct state *state = *data;
	struct record **records = (void *)1;
	size_t count = 1;

	assert_int_equal(store_list(state->store, &records, &count, NULL), 0);
	assert_int_equal(count, 0);
	record_list_free(records, count);
}

static void store_set_lease_of_one_instance(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *changed = NULL, *other = NULL;
	const struct lease lease = {
		.clock = LEASE_WALL, .source = LEASE_FROM_EXTEND, .deadline_ns = 5, .length_ns = 6};
	const struct lease nothing = {0};

	must_admit(state->store, "a", 1);
	must_admit(state->store, "b", 2);
	assert_int_equal(store_set_lease(state->store, "00000001", &lease, NULL), 0);
	assert_int_equal(store_load(state->store, "a", &changed, NULL), 0);
	assert_lease_equal(&changed->grant.lease, &lease);
	assert_int_equal(store_load(state->store, "b", &other, NULL), 0);
	assert_lease_equal(&other->grant.lease, &nothing);
}

static void store_set_lease_unknown(void **data)
{
	struct state *state = *data;
	const struct lease lease = {0};
	struct error err = {0};

	assert_int_equal(store_set_lease(state->store, "00000001", &lease, &err), -ENOENT);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_string_equal(err.text, "no instance '00000001'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(store_load_every_field),
		WITH_STORE(store_load_empty_fields),
		WITH_STORE(store_load_by_id_only_when_no_name_matches),
		WITH_STORE(store_load_id_whatever_the_names_are),
		WITH_STORE(store_load_unknown),
		WITH_STORE(store_admit_name_taken),
		WITH_STORE(store_admit_id_taken),
		WITH_STORE(store_name_taken_free_and_taken),
		WITH_STORE(store_admit_port_taken),
		WITH_STORE(store_admit_port_on_other_address),
		WITH_STORE(store_admit_port_not_chosen_yet),
		WITH_STORE(store_admit_same_port_twice_in_one_record),
		WITH_STORE(store_admit_address_not_given_again_at_once),
		WITH_STORE(store_admit_address_wraps_around),
		WITH_STORE(store_admit_addresses_exhausted),
		WITH_STORE(store_admit_ids_belong_to_one),
		WITH_STORE(store_admit_without_ids),
		WITH_STORE(store_admit_empty_range),
		WITH_STORE(store_admit_range_was_changed),
		WITH_STORE(store_list_oldest_first),
		WITH_STORE(store_list_empty),
		WITH_STORE(store_set_lease_of_one_instance),
		WITH_STORE(store_set_lease_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
