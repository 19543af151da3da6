/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the version before left behind, as it was recorded in tests/golden/older: packets of the
 * control socket, a status file, and a store with a record, a port, a zone and an entry of the
 * history. The files are never made anew: a newer version gets files of its own beside them.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "keeper/control.h"
#include "keeper/status.h"
#include "store/zones.h"
#include "store_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define GOLDEN TESTS_DIR "/golden/older/"

static char *read_golden(const char *name)
{
	cleanup_free char *path = xasprintf(GOLDEN "%s", name);
	char *text = NULL;

	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
	return text;
}

/* The packet of that name as hexadecimal digits. The caller frees. */
static char *recorded(const char *name)
{
	cleanup_free char *all = read_golden("control");
	cleanup_free char *start = xasprintf("\n%s ", name);
	cleanup_free char *text = xasprintf("\n%s", all);
	const char *at = strstr(text, start);

	assert_non_null(at);
	at += strlen(start);
	return xasprintf("%.*s", (int)strcspn(at, "\n"), at);
}

static char *hex_of(const struct control_packet *packet)
{
	struct text bytes = {0}, hex = {0};

	control_encode(packet, &bytes);
	for (size_t i = 0; i < bytes.length; i++)
		text_addf(&hex, "%02x", (unsigned char)bytes.data[i]);
	text_deinit(&bytes);
	return text_take(&hex);
}

static struct control_packet decode(const char *hex)
{
	struct control_packet packet = {0};
	cleanup_text struct text bytes = {0};

	for (; *hex; hex += 2) {
		unsigned byte;

		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		text_add_bytes(&bytes, &(unsigned char){(unsigned char)byte}, 1);
	}
	assert_int_equal(control_decode(bytes.data, bytes.length, &packet), 1);
	return packet;
}

static char *argv[] = {(char *)"ls", (char *)"", (char *)"-l", NULL};
static char *env[] = {(char *)"TERM=xterm", NULL};

/* What is recorded under each name. */
static const struct {
	const char *name;
	struct control_packet packet;
} packets[] = {
	{"watch", {.verb = CONTROL_WATCH, .finish = true}},
	{"release", {.verb = CONTROL_RELEASE}},
	{"stop", {.verb = CONTROL_STOP, .finish = true, .text = (char *)"stopped by alice"}},
	{"kill", {.verb = CONTROL_KILL, .finish = true, .text = (char *)"stopped by alice"}},
	{"lease",
	 {.verb = CONTROL_LEASE,
	  .lease = {.clock = LEASE_WALL,
		    .source = LEASE_FROM_EXTEND,
		    .deadline_ns = 1,
		    .length_ns = 2,
		    .max_ns = 3}}},
	{"exec",
	 {.verb = CONTROL_EXEC,
	  .terminal = true,
	  .as_user = true,
	  .uid = 1234,
	  .gid = 4321,
	  .argv = argv,
	  .env = env,
	  .rows = 24,
	  .columns = 80}},
	{"counts", {.verb = CONTROL_COUNTS}},
	{"ok", {.verb = CONTROL_OK}},
	{"failed",
	 {.verb = CONTROL_FAILED,
	  .error = {.code = -ENOSPC,
		    .kind = ERROR_FAILED,
		    .text = "cannot write '/x': No space left on device"}}},
	{"stage",
	 {.verb = CONTROL_STAGE, .text = (char *)"server started", .number = 5, .number2 = 1}},
	{"ready", {.verb = CONTROL_READY, .number = 7}},
	{"ended", {.verb = CONTROL_ENDED, .text = (char *)"expired", .number = 3, .number2 = 9}},
};

/* An older keeper must understand what a newer command says, as long as it says nothing new. */
static void control_encode_writes_the_older_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		cleanup_free char *older = recorded(packets[i].name);
		cleanup_free char *newer = hex_of(&packets[i].packet);

		assert_string_equal(newer, older);
	}
}

static void control_decode_reads_the_older_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		cleanup_free char *older = recorded(packets[i].name);
		struct control_packet packet = decode(older);
		cleanup_free char *again = hex_of(&packet);

		assert_int_equal(packet.verb, packets[i].packet.verb);
		assert_true(packet.number == packets[i].packet.number);
		assert_true(packet.lease.deadline_ns == packets[i].packet.lease.deadline_ns);
		assert_true(packet.lease.idle_ns == 0);
		assert_string_equal(again, older);
		control_packet_deinit(&packet);
	}
}

/* What is new goes in a packet that an older keeper refuses, instead of doing half of it. */
static void control_encode_of_what_is_new(void **state)
{
	const struct control_packet packet = {
		.verb = CONTROL_LEASE,
		.lease = {.clock = LEASE_WALL, .deadline_ns = 1, .idle_ns = 5, .idle_source = 2}};
	cleanup_free char *hex = hex_of(&packet);
	struct control_packet read = decode(hex);

	(void)state;
	assert_int_equal(strncmp(hex, "02000000", 8), 0);
	assert_true(read.lease.idle_ns == 5);
	assert_int_equal(read.lease.idle_source, 2);
	control_packet_deinit(&read);
}

static void status_parse_of_an_older_file(void **state)
{
	cleanup_free char *text = read_golden("status");
	struct status status;

	(void)state;
	assert_int_equal(status_parse(text, &status), 0);
	assert_int_equal(status.state, STATE_READY);
	assert_true(status.ready_ns - status.started_ns == 31516303);
	assert_int_equal(status.exit_status, -1);
	assert_true(status.warned_ns == 0 && status.frozen_until_ns == 0);
	assert_string_equal(status.reason, "");
}

static void assert_older_record(struct store *store)
{
	cleanup_record struct record *record = NULL;

	assert_int_equal(store_load(store, "web", &record, NULL), 0);
	assert_string_equal(record->grant.id, "ea38f370");
	assert_string_equal(record->template_name, "hello");
	assert_string_equal(record->layers[0], "/usr/share/stint/hello");
	assert_int_equal(record->grant.n_ports, 1);
	assert_int_equal(record->grant.ports[0].host_port, 43661);
	assert_true(record->grant.lease.idle_ns == 0 && record->kept_until_ns == 0);
}

static void store_open_of_an_older_store(void **data)
{
	cleanup_free char *sql = read_golden("store.sql");
	struct history_entry *entries = NULL;
	struct state *state = *data;
	struct zone zone = {0};
	size_t count = 0;

	run_sql(state, "PRAGMA journal_mode = WAL");
	run_sql(state, sql);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	assert_older_record(state->store);
	assert_int_equal(store_zone_load(state->store, "z", &zone, NULL), 0);
	assert_true(zone.peers);
	zone_deinit(&zone);
	/* its end is written as that of any other */
	assert_int_equal(store_finish(state->store, "ea38f370", &ending_unknown, NULL), 0);
	assert_int_equal(store_history(state->store, NULL, NULL, 9, &entries, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(entries[0].name, "web");
	assert_string_equal(entries[0].zone, "default");
	assert_string_equal(entries[1].ending.reason, "stopped by root");
	assert_int_equal(entries[1].ending.usage.memory_bytes, -1);
	history_free(entries, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_encode_writes_the_older_bytes),
		cmocka_unit_test(control_decode_reads_the_older_bytes),
		cmocka_unit_test(control_encode_of_what_is_new),
		cmocka_unit_test(status_parse_of_an_older_file),
		WITH_DIRECTORY(store_open_of_an_older_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
