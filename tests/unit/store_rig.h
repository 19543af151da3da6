/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the store share: a state directory of their own, and records to put there. */
#ifndef TESTS_STORE_RIG_H
#define TESTS_STORE_RIG_H

#include "store/store.h"

/* In front of cmocka.h, which needs what these bring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* 1,000 addresses from 10.85.0.1 on. */
extern const struct admission plenty;

struct state {
	char path[64]; /* of the state directory */
	struct store
		*store; /* closed, if there is one, and the directory removed behind the test */
};

/* cmocka's set-up and tear-down; *data is a struct state. */
int make_directory(void **data);
int make_store(void **data);
int remove_state(void **data);

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, make_store, remove_state)
#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_state)

/* A record of alice's; number makes the id. The caller frees it. */
struct record *make_record(const char *name, unsigned number);
void add_port(struct record *record, const char *address, uint16_t port);

/* store_admit of such a record; ret_address may be NULL. */
int admit_in(struct store *store, const char *name, unsigned number,
	     const struct admission *admission, uint32_t *ret_address, struct error *err);
/* The test does not go on when that is not possible. */
void must_admit(struct store *store, const char *name, unsigned number);
int end_instance(struct store *store, unsigned number, const char *reason);

/* Changes the database behind the store's back. */
void run_sql(const struct state *state, const char *sql);

#endif
