/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/store: each test has a state directory of its own, which is removed behind it. */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define CROWD 20

static const struct address_range plenty = {.base = 0x0a550001, .count = 1000};

struct state {
	char path[64];
	struct store *store;
};

static int make_directory(void **data)
{
	struct state *state = xcalloc(1, sizeof(*state));

	strcpy(state->path, "/tmp/stint-store-XXXXXX");
	*data = state;
	return mkdtemp(state->path) ? 0 : -1;
}

static int make_store(void **data)
{
	struct state *state;

	if (make_directory(data) < 0)
		return -1;
	state = *data;
	return store_open(state->path, &state->store, NULL);
}

static int remove_state(void **data)
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

static void add_port(struct record *record, const char *address, uint16_t port)
{
	struct grant *grant = &record->grant;

	grant->ports = xrealloc(grant->ports, grant->n_ports + 1, sizeof(*grant->ports));
	grant->ports[grant->n_ports++] = published("http", address, port);
}

/* number makes the id. */
static struct record *make_record(const char *name, unsigned number)
{
	struct record *record = xcalloc(1, sizeof(*record));

	snprintf(record->grant.id, sizeof(record->grant.id), "%08x", number);
	snprintf(record->grant.name, sizeof(record->grant.name), "%s", name);
	record->grant.owner = xstrdup("alice");
	record->template_name = xstrdup("hello");
	record->boot_id = xstrdup("3b1f1f6a-0000-4000-8000-000000000000");
	record->plan = xstrdup("template: hello\n");
	record->cgroup = xstrdup("stint");
	return record;
}

static int admit_in(struct store *store, const char *name, unsigned number,
		    const struct address_range *range, uint32_t *ret_address, struct error *err)
{
	cleanup_record struct record *record = make_record(name, number);
	int r = store_admit(store, record, range, err);

	if (ret_address)
		*ret_address = record->address;
	return r;
}

static void must_admit(struct store *store, const char *name, unsigned number)
{
	struct error err = {0};

	if (admit_in(store, name, number, &plenty, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

static int end(struct store *store, unsigned number, const char *reason)
{
	struct ending ending = {.ended_ns = number, .exit_status = -1};
	char id[INSTANCE_ID_LENGTH + 1];

	snprintf(id, sizeof(id), "%08x", number);
	snprintf(ending.reason, sizeof(ending.reason), "%s", reason);
	return store_finish(store, id, &ending, NULL);
}

/* Opening. */

static void assert_mode(const struct state *state, const char *name, mode_t mode)
{
	cleanup_free char *path = xasprintf("%s/%s", state->path, name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void store_open_new_directory(void **data)
{
	struct state *state = *data;

	must_admit(state->store, "web", 1);
	assert_mode(state, "store.db", 0600);
	assert_mode(state, "store.db-wal", 0600);
	assert_mode(state, "store.db-shm", 0600);
}

static void store_open_again_keeps_what_was_written(void **data)
{
	struct state *state = *data;
	bool taken = false;

	must_admit(state->store, "web", 1);
	store_cleanup(&state->store);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	assert_int_equal(store_name_taken(state->store, "web", &taken, NULL), 0);
	assert_true(taken);
}

static void store_open_no_directory(void **data)
{
	struct store *store = NULL;
	struct error err = {0};

	(void)data;
	assert_int_equal(store_open("/nowhere/at/all", &store, &err), -ENOENT);
	assert_null(store);
	assert_non_null(strstr(err.text, "'/nowhere/at/all/store.db'"));
}

static void store_open_file_that_is_no_database(void **data)
{
	struct state *state = *data;
	cleanup_free char *path = xasprintf("%s/store.db", state->path);
	cleanup_free char *words = xcalloc(1, 8192);
	struct error err = {0};

	memset(words, 'x', 8191);
	assert_int_equal(file_write(AT_FDCWD, path, words, 0600), 0);
	assert_int_equal(store_open(state->path, &state->store, &err), -EUCLEAN);
	assert_int_equal(err.kind, ERROR_FAILED);
	assert_non_null(strstr(err.text, path));
	assert_non_null(strstr(err.text, "is damaged"));
	assert_non_null(strstr(err.text, "move it away"));
	assert_null(state->store);
}

/* Overwrites everything behind the header page, the log included. */
static void damage(const struct state *state, const char *name, off_t from)
{
	cleanup_free char *path = xasprintf("%s/%s", state->path, name);
	cleanup_fd int fd = open(path, O_RDWR | O_CLOEXEC);
	char noise[512];
	struct stat st;

	memset(noise, 0xa5, sizeof(noise));
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t at = from; at < st.st_size; at += (off_t)sizeof(noise))
		assert_int_equal(pwrite(fd, noise, sizeof(noise), at), sizeof(noise));
}

static void run_sql(const struct state *state, const char *sql)
{
	cleanup_free char *path = xasprintf("%s/store.db", state->path);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void store_load_damaged_page(void **data)
{
	struct state *state = *data;
	struct record *record = NULL;
	struct error err = {0};

	must_admit(state->store, "web", 1);
	store_cleanup(&state->store);
	run_sql(state, "PRAGMA wal_checkpoint(TRUNCATE)");
	damage(state, "store.db", 4096);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	assert_int_equal(store_load(state->store, "web", &record, &err), -EUCLEAN);
	assert_non_null(strstr(err.text, "is damaged"));
	assert_null(record);
}

static void store_open_newer_schema(void **data)
{
	struct state *state = *data;
	struct error err = {0};

	store_cleanup(&state->store);
	run_sql(state, "PRAGMA user_version = 4711");
	assert_true(store_open(state->path, &state->store, &err) < 0);
	assert_null(state->store);
	assert_non_null(strstr(err.text, "newer stint"));
	assert_non_null(strstr(err.text, "4711"));
}

/* A disk that is full or read-only, in a mount namespace of this process. */

static void mount_small_disk(const struct state *state)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", state->path, "tmpfs", 0, "size=256k") < 0)
		skip();
}

static void fill_disk(const struct state *state)
{
	cleanup_free char *path = xasprintf("%s/ballast", state->path);
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	static const char block[4096];

	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
}

static int unmount(void **data)
{
	struct state *state = *data;

	store_cleanup(&state->store);
	umount2(state->path, MNT_DETACH);
	return remove_state(data);
}

static void store_open_full_disk(void **data)
{
	struct state *state = *data;
	struct error err = {0};

	mount_small_disk(state);
	fill_disk(state);
	assert_int_equal(store_open(state->path, &state->store, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "the disk is full"));
	assert_non_null(strstr(err.text, "make room"));
}

static void store_admit_full_disk(void **data)
{
	struct state *state = *data;
	cleanup_free char *ballast = xasprintf("%s/ballast", state->path);
	struct error err = {0};
	bool taken = true;

	mount_small_disk(state);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	fill_disk(state);
	assert_int_equal(admit_in(state->store, "web", 1, &plenty, NULL, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "the disk is full"));
	assert_int_equal(store_name_taken(state->store, "web", &taken, NULL), 0);
	assert_false(taken);
	assert_int_equal(unlink(ballast), 0);
	must_admit(state->store, "web", 1);
}

static void store_open_read_only_disk(void **data)
{
	struct state *state = *data;
	struct error err = {0};

	mount_small_disk(state);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	store_cleanup(&state->store);
	assert_int_equal(mount(NULL, state->path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_int_equal(store_open(state->path, &state->store, &err), -EROFS);
	assert_non_null(strstr(err.text, "read-only"));
	assert_int_equal(mount(NULL, state->path, NULL, MS_REMOUNT, NULL), 0);
}

/* Admission. */

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
	assert_int_equal(written->address, plenty.base);
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
	assert_int_equal(end(state->store, 1, "expired"), 0);
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
	assert_int_equal(end(state->store, 1, "expired"), 0);
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

static uint32_t address_of(struct store *store, unsigned number, const struct address_range *range)
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

	assert_int_equal(address_of(state->store, 1, &plenty), plenty.base);
	assert_int_equal(end(state->store, 1, "expired"), 0);
	assert_int_equal(address_of(state->store, 2, &plenty), plenty.base + 1);
}

static void store_admit_address_wraps_around(void **data)
{
	struct state *state = *data;
	const struct address_range range = {.base = 100, .count = 4};

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(address_of(state->store, i, &range), 100 + i);
	end(state->store, 1, "expired");
	end(state->store, 2, "expired");
	assert_int_equal(address_of(state->store, 10, &range), 101);
	assert_int_equal(address_of(state->store, 11, &range), 102);
}

static void store_admit_addresses_exhausted(void **data)
{
	struct state *state = *data;
	const struct address_range range = {.base = 0x0a000001, .count = 2};
	struct error err = {0};
	bool taken = true;

	address_of(state->store, 1, &range);
	address_of(state->store, 2, &range);
	assert_int_equal(admit_in(state->store, "web", 3, &range, NULL, &err), -EADDRNOTAVAIL);
	assert_int_equal(err.kind, ERROR_FAILED);
	assert_int_equal(err.code, -EADDRNOTAVAIL);
	assert_non_null(strstr(err.text, "all 2 instance addresses from 10.0.0.1 on"));
	assert_int_equal(store_name_taken(state->store, "web", &taken, NULL), 0);
	assert_false(taken);
}

static void store_admit_empty_range(void **data)
{
	struct state *state = *data;
	const struct address_range none = {.base = 1, .count = 0};

	assert_int_equal(admit_in(state->store, "web", 1, &none, NULL, NULL), -EADDRNOTAVAIL);
}

static void store_admit_range_was_changed(void **data)
{
	struct state *state = *data;
	const struct address_range before = {.base = 100, .count = 10};
	const struct address_range after = {.base = 0xfffffff0, .count = 16};

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
	end(state->store, 4, "expired");
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

/* The end, and the history. */

static void store_finish_twice(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	struct record *record = NULL;
	size_t count = 0;

	must_admit(state->store, "web", 1);
	assert_int_equal(end(state->store, 1, "expired"), 0);
	assert_int_equal(end(state->store, 1, "lost keeper"), 0);
	assert_int_equal(store_load(state->store, "web", &record, NULL), -ENOENT);
	assert_int_equal(store_history(state->store, NULL, 10, &entries, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_string_equal(entries[0].ending.reason, "expired");
	history_free(entries, count);
}

static void store_finish_never_admitted(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	size_t count = 1;

	assert_int_equal(end(state->store, 1, "expired"), 0);
	assert_int_equal(store_history(state->store, NULL, 10, &entries, &count, NULL), 0);
	assert_int_equal(count, 0);
	history_free(entries, count);
}

static void store_history_every_field(void **data)
{
	struct state *state = *data;
	cleanup_record struct record *record = make_record("web", 1);
	const struct ending ending = {
		.ended_ns = 99, .reason = "exited 3", .exit_status = 3, .exit_signal = 9};
	struct history_entry *entries = NULL;
	size_t count = 0;

	record->created_ns = 42;
	assert_int_equal(store_admit(state->store, record, &plenty, NULL), 0);
	assert_int_equal(store_finish(state->store, "00000001", &ending, NULL), 0);
	assert_int_equal(store_history(state->store, "web", 10, &entries, &count, NULL), 0);
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
	history_free(entries, count);
}

static void store_history_newest_first_of_one_name(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	size_t count = 0;

	for (unsigned i = 0; i < 6; i++) {
		must_admit(state->store, i % 2 ? "odd" : "even", i);
		assert_int_equal(end(state->store, i, "expired"), 0);
	}
	assert_int_equal(store_history(state->store, "odd", 2, &entries, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(entries[0].id, "00000005");
	assert_string_equal(entries[1].id, "00000003");
	history_free(entries, count);
}

static void store_history_keeps_the_newest_10000(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	size_t count = 0;

	run_sql(state, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		       " WHERE i < 10003) INSERT INTO history SELECT i, 'id', 'old', NULL, NULL, 0,"
		       " 0, 'expired', 0, 0 FROM n");
	must_admit(state->store, "web", 1);
	assert_int_equal(end(state->store, 1, "expired"), 0);
	assert_int_equal(store_history(state->store, NULL, SIZE_MAX, &entries, &count, NULL), 0);
	assert_int_equal(count, 10000);
	assert_string_equal(entries[0].name, "web");
	assert_string_equal(entries[9999].name, "old");
	history_free(entries, count);
	run_sql(state, "CREATE TABLE check_1 AS SELECT 1 / (count(*) = 10000) AS x FROM history");
}

static void store_finish_keeps_the_log_short(void **data)
{
	struct state *state = *data;
	cleanup_free char *log = xasprintf("%s/store.db-wal", state->path);
	struct stat st;

	for (unsigned i = 0; i < 100; i++) {
		store_cleanup(&state->store);
		assert_int_equal(store_open(state->path, &state->store, NULL), 0);
		must_admit(state->store, "web", i);
		assert_int_equal(end(state->store, i, "expired"), 0);
	}
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_size < 150 * 4120);
}

static void store_admit_keeps_the_log_short(void **data)
{
	struct state *state = *data;
	cleanup_free char *log = xasprintf("%s/store.db-wal", state->path);
	struct stat st;
	char name[16];

	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		store_cleanup(&state->store);
		assert_int_equal(store_open(state->path, &state->store, NULL), 0);
		must_admit(state->store, name, i);
	}
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_size < 300 * 4120);
}

/* Many processes. */

/* Runs when the parent closes its end of gate; the process exits with what f returns. */
static pid_t start_in_crowd(const int gate[2], int (*f)(const char *, unsigned), const char *path,
			    unsigned number)
{
	pid_t pid = fork();
	char byte;

	if (pid != 0)
		return pid;
	close(gate[1]);
	(void)!read(gate[0], &byte, 1);
	_exit(f(path, number));
}

/* Returns how many of the processes exited with status. */
static unsigned run_crowd(int (*f)(const char *, unsigned), const char *path, int status)
{
	unsigned matching = 0;
	int gate[2], how;

	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	for (unsigned i = 0; i < CROWD; i++)
		assert_true(start_in_crowd(gate, f, path, i) > 0);
	close(gate[0]);
	close(gate[1]);
	for (unsigned i = 0; i < CROWD; i++) {
		assert_true(wait(&how) > 0);
		matching += WIFEXITED(how) && WEXITSTATUS(how) == status;
	}
	return matching;
}

static int open_and_admit(const char *path, const char *name, unsigned number)
{
	cleanup_store struct store *store = NULL;
	struct error err = {0};

	if (store_open(path, &store, &err) == 0 &&
	    admit_in(store, name, number, &plenty, NULL, &err) == 0)
		return 0;
	if (err.kind != ERROR_EXISTS)
		print_error("process %u: %s\n", number, err.text);
	return err.kind;
}

static int admit_own_name(const char *path, unsigned number)
{
	char name[16];

	snprintf(name, sizeof(name), "n%u", number);
	return open_and_admit(path, name, number);
}

static int admit_same_name(const char *path, unsigned number)
{
	return open_and_admit(path, "web", number);
}

static void assert_addresses_distinct(struct store *store, size_t expected)
{
	struct record **records = NULL;
	bool seen[CROWD] = {false};
	size_t count = 0;

	assert_int_equal(store_list(store, &records, &count, NULL), 0);
	assert_int_equal(count, expected);
	for (size_t i = 0; i < count; i++) {
		uint32_t at = records[i]->address - plenty.base;

		assert_true(at < CROWD);
		assert_false(seen[at]);
		seen[at] = true;
	}
	record_list_free(records, count);
}

static void store_admit_crowd_makes_the_database(void **data)
{
	struct state *state = *data;

	for (int round = 0; round < 10; round++) {
		cleanup_free char *path = xasprintf("%s/%d", state->path, round);

		assert_int_equal(mkdir(path, 0700), 0);
		assert_int_equal(run_crowd(admit_own_name, path, 0), CROWD);
		assert_int_equal(store_open(path, &state->store, NULL), 0);
		assert_addresses_distinct(state->store, CROWD);
		store_cleanup(&state->store);
	}
}

static void store_admit_crowd_with_one_name(void **data)
{
	struct state *state = *data;

	store_cleanup(&state->store);
	assert_int_equal(run_crowd(admit_same_name, state->path, ERROR_EXISTS), CROWD - 1);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	assert_addresses_distinct(state->store, 1);
}

static int admit_and_end_often(const char *path, unsigned number)
{
	for (int i = 0; i < 20; i++) {
		cleanup_store struct store *store = NULL;
		int r = admit_own_name(path, number);

		if (r != 0)
			return r;
		if (store_open(path, &store, NULL) < 0 || end(store, number, "expired") < 0)
			return 1;
	}
	return 0;
}

static void store_finish_crowd(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	size_t count = 0;

	store_cleanup(&state->store);
	assert_int_equal(run_crowd(admit_and_end_often, state->path, 0), CROWD);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	assert_addresses_distinct(state->store, 0);
	assert_int_equal(store_history(state->store, NULL, SIZE_MAX, &entries, &count, NULL), 0);
	assert_int_equal(count, CROWD * 20);
	history_free(entries, count);
}

/* Says so on the pipe after each, so that the parent can kill it in the middle of its work. */
static void admit_until_killed(const char *path, int progress)
{
	for (unsigned i = 0;; i++)
		if (admit_own_name(path, i) != 0 || write(progress, "", 1) != 1)
			_exit(1);
}

static void store_open_after_kill(void **data)
{
	struct state *state = *data;
	char done[50];
	int progress[2], how;
	pid_t pid;

	store_cleanup(&state->store);
	assert_int_equal(pipe2(progress, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		admit_until_killed(state->path, progress[1]);
	for (size_t got = 0; got < sizeof(done);)
		got += (size_t)read(progress[0], done, sizeof(done) - got);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFSIGNALED(how));
	close(progress[0]);
	close(progress[1]);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	must_admit(state->store, "after", 0xffff);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, make_store, remove_state)
#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_state)
#define WITH_DISK(test) cmocka_unit_test_setup_teardown(test, make_directory, unmount)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(store_open_new_directory),
		WITH_STORE(store_open_again_keeps_what_was_written),
		cmocka_unit_test(store_open_no_directory),
		WITH_DIRECTORY(store_open_file_that_is_no_database),
		WITH_STORE(store_open_newer_schema),
		WITH_STORE(store_load_damaged_page),
		WITH_STORE(store_load_every_field),
		WITH_STORE(store_load_empty_fields),
		WITH_STORE(store_load_by_id_only_when_no_name_matches),
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
		WITH_STORE(store_admit_empty_range),
		WITH_STORE(store_admit_range_was_changed),
		WITH_STORE(store_list_oldest_first),
		WITH_STORE(store_list_empty),
		WITH_STORE(store_set_lease_of_one_instance),
		WITH_STORE(store_set_lease_unknown),
		WITH_STORE(store_finish_twice),
		WITH_STORE(store_finish_never_admitted),
		WITH_STORE(store_history_every_field),
		WITH_STORE(store_history_newest_first_of_one_name),
		WITH_STORE(store_history_keeps_the_newest_10000),
		WITH_STORE(store_finish_keeps_the_log_short),
		WITH_STORE(store_admit_keeps_the_log_short),
		WITH_DIRECTORY(store_admit_crowd_makes_the_database),
		WITH_STORE(store_admit_crowd_with_one_name),
		WITH_STORE(store_finish_crowd),
		WITH_STORE(store_open_after_kill),
		WITH_DISK(store_open_full_disk),
		WITH_DISK(store_admit_full_disk),
		WITH_DISK(store_open_read_only_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
