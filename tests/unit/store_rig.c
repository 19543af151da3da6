/* SPDX-License-Identifier: Apache-2.0 */
/* See store_rig.h. */
#include "store_rig.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>

const struct admission plenty = {.addresses = {.base = 0x0a550001, .count = 1000}};

int make_directory(void **data)
{
	struct state *state = xcalloc(1, sizeof(*state));

	strcpy(state->path, "/tmp/stint-store-XXXXXX");
	*data = state;
	return mkdtemp(state->path) ? 0 : -1;
}

int make_store(void **data)
{
	struct state *state;

	if (make_directory(data) < 0)
		return -1;
	state = *data;
	return store_open(state->path, &state->store, NULL);
}

int remove_state(void **data)
{
	struct state *state = *data;
	int r;

	store_close(state->store);
	r = file_remove_tree(AT_FDCWD, state->path);
	free(state);
	return r;
}

static struct published_port published(const char *name, const char *address, uint16_t port)
{
	struct published_port made = {.host_port = port, .inside_port = 8080};

	made.name = xstrdup(name);
	made.scheme = xstrdup("http");
	snprintf(made.host_address, sizeof(made.host_address), "%s", address);
	return made;
}

void add_port(struct record *record, const char *address, uint16_t port)
{
	struct grant *grant = &record->grant;

	grant->ports = xrealloc(grant->ports, grant->n_ports + 1, sizeof(*grant->ports));
	grant->ports[grant->n_ports++] = published("http", address, port);
}

struct record *make_record(const char *name, unsigned number)
{
	struct record *record = xcalloc(1, sizeof(*record));

	snprintf(record->grant.id, sizeof(record->grant.id), "%08x", number);
	snprintf(record->grant.name, sizeof(record->grant.name), "%s", name);
	record->grant.owner = xstrdup("alice");
	record->template_name = xstrdup("hello");
	record->boot_id = xstrdup("3b1f1f6a-0000-4000-8000-000000000000");
	record->plan = xstrdup("template: hello\n");
	record->cgroup = xstrdup("stint");
	record->zone = xstrdup("default");
	return record;
}

int admit_in(struct store *store, const char *name, unsigned number,
	     const struct admission *admission, uint32_t *ret_address, struct error *err)
{
	cleanup_record struct record *record = make_record(name, number);
	int r = store_admit(store, record, admission, err);

	if (ret_address)
		*ret_address = record->address;
	return r;
}

void must_admit(struct store *store, const char *name, unsigned number)
{
	struct error err = {0};

	if (admit_in(store, name, number, &plenty, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

int end_instance(struct store *store, unsigned number, const char *reason)
{
	struct ending ending = ending_unknown;
	char id[INSTANCE_ID_LENGTH + 1];

	snprintf(id, sizeof(id), "%08x", number);
	ending.ended_ns = number;
	snprintf(ending.reason, sizeof(ending.reason), "%s", reason);
	return store_finish(store, id, &ending, NULL);
}

void run_sql(const struct state *state, const char *sql)
{
	cleanup_free char *path = xasprintf("%s/store.db", state->path);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}
