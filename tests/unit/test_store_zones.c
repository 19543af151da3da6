/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/store/zones: zones, and the instances in them. */
#include "store_rig.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "store/zones.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static struct zone zone_of(const char *name, const char *egress)
{
	return (struct zone){.name = (char *)name,
			     .tier = (char *)"dev",
			     .egress = (char *)egress,
			     .dns = (char *)"host"};
}

static uint32_t add(struct store *store, const char *name, const char *egress)
{
	struct zone zone = zone_of(name, egress);
	struct error err = {0};

	if (store_zone_add(store, &zone, &err) < 0)
		fail_msg("%s", err.text);
	return zone.number;
}

static void check_zone(struct store *store, const char *name, uint32_t number, const char *egress)
{
	struct zone zone = {0};

	assert_int_equal(store_zone_load(store, name, &zone, NULL), 0);
	assert_int_equal(zone.number, number);
	assert_string_equal(zone.egress, egress);
	zone_deinit(&zone);
}

static void store_zone_default_is_always_there(void **data)
{
	struct state *state = *data;
	struct error err;

	check_zone(state->store, "default", 1, "none");
	assert_int_equal(store_zone_remove(state->store, "default", &err), -EPERM);
	assert_int_equal(err.kind, ERROR_REFUSED);
	check_zone(state->store, "default", 1, "none");
}

static void store_zone_numbers_are_used_again(void **data)
{
	struct state *state = *data;

	assert_int_equal(add(state->store, "a", "none"), 2);
	assert_int_equal(add(state->store, "b", "none"), 3);
	assert_int_equal(add(state->store, "c", "none"), 4);
	assert_int_equal(store_zone_remove(state->store, "b", NULL), 0);
	assert_int_equal(add(state->store, "d", "internet"), 3);
	check_zone(state->store, "d", 3, "internet");
}

static void store_zone_add_twice(void **data)
{
	struct state *state = *data;
	struct zone again = zone_of("a", "internet");
	struct error err;

	add(state->store, "a", "none");
	assert_int_equal(store_zone_add(state->store, &again, &err), -EEXIST);
	assert_int_equal(err.kind, ERROR_EXISTS);
	check_zone(state->store, "a", 2, "none");
}

static void store_zone_set_keeps_the_number(void **data)
{
	struct state *state = *data;
	struct zone changed = zone_of("a", "10.0.0.0/8:443"), unknown = zone_of("x", "none");
	struct error err;

	add(state->store, "a", "none");
	assert_int_equal(store_zone_set(state->store, &changed, NULL), 0);
	check_zone(state->store, "a", 2, "10.0.0.0/8:443");
	assert_int_equal(store_zone_set(state->store, &unknown, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no zone 'x'; there is a, default"));
}

static void store_zone_remove_of_one_in_use(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *record = make_record("web", 7);
	struct error err;

	add(state->store, "a", "none");
	free(record->zone);
	record->zone = xstrdup("a");
	assert_int_equal(store_admit(state->store, record, &plenty, NULL), 0);
	assert_int_equal(store_zone_remove(state->store, "a", &err), -EPERM);
	assert_non_null(strstr(err.text, "has 1 instance, 'web' among them"));
	assert_int_equal(end_instance(state->store, 7, "expired"), 0);
	assert_int_equal(store_zone_remove(state->store, "a", NULL), 0);
}

static void store_admit_into_a_zone_that_is_none(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *record = make_record("web", 7);
	struct error err;

	free(record->zone);
	record->zone = xstrdup("nowhere");
	assert_int_equal(store_admit(state->store, record, &plenty, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no zone 'nowhere'"));
}

static void store_admit_gives_an_ipv6_address(void **data)
{
	struct state *state = *data;
	struct admission admission = {.addresses = plenty.addresses};
	cleanup_record struct record *first = make_record("a", 1), *second = make_record("b", 2);

	inet_pton(AF_INET6, "fd00:1::", &admission.prefix6);
	assert_int_equal(store_admit(state->store, first, &admission, NULL), 0);
	assert_int_equal(store_admit(state->store, second, &admission, NULL), 0);
	assert_string_equal(first->address6, "fd00:1::1");
	assert_string_equal(second->address6, "fd00:1::2");
}

static void store_admit_of_two_that_stand_in_for_one_another(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *a = make_record("a", 1), *b = make_record("b", 2);
	struct error err;

	a->ha_group = xstrdup("brokers");
	b->ha_group = xstrdup("brokers");
	assert_int_equal(store_admit(state->store, a, &plenty, NULL), 0);
	assert_int_equal(store_admit(state->store, b, &plenty, &err), -EPERM);
	assert_non_null(strstr(err.text, "group 'brokers' runs on this host already, 'a'"));
	assert_int_equal(end_instance(state->store, 1, "expired"), 0);
	assert_int_equal(store_admit(state->store, b, &plenty, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(store_zone_default_is_always_there),
		WITH_STORE(store_zone_numbers_are_used_again),
		WITH_STORE(store_zone_add_twice),
		WITH_STORE(store_zone_set_keeps_the_number),
		WITH_STORE(store_zone_remove_of_one_in_use),
		WITH_STORE(store_admit_into_a_zone_that_is_none),
		WITH_STORE(store_admit_gives_an_ipv6_address),
		WITH_STORE(store_admit_of_two_that_stand_in_for_one_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
