/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/store: opening what is new, damaged, newer or on a bad disk, and the length of the log.
 * The disks are mounted in a mount namespace of this process, so these tests come last.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "store_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

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
	assert_non_null(strstr(err.text, "stint doctor --rebuild"));
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

static void store_load_damaged_page(void **data)
{
	struct state *state = *data;
	struct record *record = NULL;
	struct error err = {0};
	int r;

	must_admit(state->store, "web", 1);
	store_cleanup(&state->store);
	run_sql(state, "PRAGMA wal_checkpoint(TRUNCATE)");
	damage(state, "store.db", 4096);
	/* the list of tables may reach into the second page */
	r = store_open(state->path, &state->store, &err);
	if (r == 0)
		r = store_load(state->store, "web", &record, &err);
	assert_int_equal(r, -EUCLEAN);
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

static const char back_to_version_1[] =
	"DROP TABLE pool; DROP TABLE spare;"
	"DROP TABLE succession; DROP TABLE future_port;"
	"DROP TABLE taint; ALTER TABLE instance DROP COLUMN tainted;"
	"DROP TABLE pin; DROP TABLE generation; DROP TABLE install;"
	"ALTER TABLE instance DROP COLUMN harvest;"
	"ALTER TABLE instance DROP COLUMN above;"
	"ALTER TABLE instance DROP COLUMN lowers;"
	"ALTER TABLE instance DROP COLUMN after_end;"
	"ALTER TABLE history DROP COLUMN zone;"
	"ALTER TABLE history DROP COLUMN ready_after_ns;"
	"ALTER TABLE history DROP COLUMN restarts;"
	"ALTER TABLE history DROP COLUMN memory_bytes;"
	"ALTER TABLE history DROP COLUMN cpu_ns;"
	"ALTER TABLE history DROP COLUMN disk_bytes;"
	"ALTER TABLE history DROP COLUMN io_bytes;"
	"ALTER TABLE history DROP COLUMN io_by;"
	"ALTER TABLE history DROP COLUMN connections;"
	"ALTER TABLE history DROP COLUMN bytes_in;"
	"ALTER TABLE history DROP COLUMN bytes_out;"
	"ALTER TABLE history DROP COLUMN log;"
	"DROP INDEX instance_kept; DROP INDEX instance_zone;"
	"ALTER TABLE instance DROP COLUMN kept_until_ns;"
	"ALTER TABLE instance DROP COLUMN lease_idle_ns;"
	"ALTER TABLE instance DROP COLUMN lease_idle_source;"
	"ALTER TABLE instance DROP COLUMN lease_frozen_ns;"
	"ALTER TABLE instance DROP COLUMN on_expiry;"
	"ALTER TABLE instance DROP COLUMN keep_failed_ns;"
	"DROP INDEX instance_boot; DROP INDEX instance_lease;"
	"DROP INDEX instance_ha_group; DROP INDEX instance_owner;"
	"ALTER TABLE instance DROP COLUMN disk_bytes; ALTER TABLE instance DROP COLUMN disk;"
	"DROP INDEX id_base_once; ALTER TABLE instance DROP COLUMN id_base;"
	"DROP TABLE last_id_range; ALTER TABLE last_address RENAME COLUMN number TO address;"
	"ALTER TABLE instance DROP COLUMN memory_bytes;"
	"ALTER TABLE instance DROP COLUMN cpu_millis;"
	"ALTER TABLE history DROP COLUMN owner_uid;"
	"DROP TABLE zone; ALTER TABLE instance DROP COLUMN zone;"
	"ALTER TABLE instance DROP COLUMN address6; ALTER TABLE instance DROP COLUMN ha_group;"
	"PRAGMA user_version = 1";

/* What was not kept then is unknown, not zero. */
static void assert_older_history(struct store *store)
{
	struct history_entry *entries = NULL;
	size_t count = 0;

	assert_int_equal(store_history(store, "ended", NULL, 9, &entries, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_null(entries[0].zone);
	assert_string_equal(entries[0].ending.reason, "expired");
	assert_int_equal(entries[0].ending.usage.memory_bytes, -1);
	assert_int_equal(entries[0].ending.usage.connections, -1);
	assert_null(entries[0].ending.usage.log);
	history_free(entries, count);
}

static void store_open_older_schema(void **data)
{
	struct state *state = *data;
	const struct admission admission = {.addresses = plenty.addresses, .ids = {65536, 10}};
	cleanup_record struct record *old = NULL, *new = make_record("new", 2);

	must_admit(state->store, "ended", 0);
	assert_int_equal(end_instance(state->store, 0, "expired"), 0);
	must_admit(state->store, "old", 1);
	store_cleanup(&state->store);
	run_sql(state, back_to_version_1);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	assert_int_equal(store_load(state->store, "old", &old, NULL), 0);
	assert_int_equal(old->id_base, 0);
	assert_string_equal(old->zone, "default");
	assert_int_equal(store_admit(state->store, new, &admission, NULL), 0);
	assert_int_equal(new->id_base, 65536);
	assert_int_equal(new->address, old->address + 1);
	assert_older_history(state->store);
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
		assert_int_equal(end_instance(state->store, i, "expired"), 0);
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
	bool taken;

	mount_small_disk(state);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	must_admit(state->store, "web", 1);
	store_cleanup(&state->store);
	assert_int_equal(mount(NULL, state->path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_int_equal(store_open(state->path, &state->store, &err), -EROFS);
	assert_non_null(strstr(err.text, "read-only"));
	/* what is there can be read */
	assert_int_equal(store_open_to_read(state->path, &state->store, &err), 0);
	assert_int_equal(store_name_taken(state->store, "web", &taken, NULL), 0);
	assert_true(taken);
	assert_int_equal(end_instance(state->store, 1, "over"), -EROFS);
	store_cleanup(&state->store);
	assert_int_equal(mount(NULL, state->path, NULL, MS_REMOUNT, NULL), 0);
}

#define WITH_DISK(test) cmocka_unit_test_setup_teardown(test, make_directory, unmount)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(store_open_new_directory),
		WITH_STORE(store_open_again_keeps_what_was_written),
		cmocka_unit_test(store_open_no_directory),
		WITH_DIRECTORY(store_open_file_that_is_no_database),
		WITH_STORE(store_load_damaged_page),
		WITH_STORE(store_open_newer_schema),
		WITH_STORE(store_open_older_schema),
		WITH_STORE(store_finish_keeps_the_log_short),
		WITH_STORE(store_admit_keeps_the_log_short),
		WITH_DISK(store_open_full_disk),
		WITH_DISK(store_admit_full_disk),
		WITH_DISK(store_open_read_only_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
