/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/log: reading while the other end writes and lets go of the beginning. */
#include "instance/log.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "keeper/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ID "0123abcd"
#define BLOCK 4096

/* A state directory with the log of one instance, and what was read of it. */
struct world {
	char path[64];
	struct site site;
	int log; /* for writing */
	struct log_reader reader;
	struct text seen; /* each record as "o+text|" */
	size_t records;
};

static int world_setup(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	strcpy(world->path, "/tmp/stint-log-XXXXXX");
	if (!mkdtemp(world->path))
		return -1;
	world->site.state = file_open_directory(AT_FDCWD, world->path);
	file_make_directories(world->site.state, "i/" ID, 0700);
	world->log = openat(world->site.state, "i/" ID "/log", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	*state = world;
	return log_open(&world->site, ID, &world->reader);
}

static int world_teardown(void **state)
{
	struct world *world = *state;
	int r;

	log_close(&world->reader);
	text_deinit(&world->seen);
	close(world->log);
	close(world->site.state);
	r = file_remove_tree(AT_FDCWD, world->path);
	free(world);
	return r;
}

static void note(const struct log_record *record, void *data)
{
	struct world *world = data;

	text_addf(&world->seen, "%c%c", record->is_error ? 'e' : 'o', record->more ? '-' : '+');
	text_add_bytes(&world->seen, record->text, record->length);
	text_add(&world->seen, "|");
	world->records++;
}

static void add(struct world *world, const char *string)
{
	assert_int_equal(file_write_all(world->log, string, strlen(string)), 0);
}

static void expect(struct world *world, const char *seen)
{
	text_deinit(&world->seen);
	assert_int_equal(log_read(&world->reader, note, world), 0);
	assert_string_equal(world->seen.data ? world->seen.data : "", seen);
}

static void open_without_log(void **state)
{
	struct world *world = *state;
	struct log_reader reader;

	assert_int_equal(log_open(&world->site, "ffffffff", &reader), -ENOENT);
}

static void read_both_streams(void **state)
{
	struct world *world = *state;

	expect(world, "");
	add(world, "1700000000.000001 o + one\n1700000000.5 e - two\n1700000001.0 o + \n");
	expect(world, "o+one|e-two|o+|");
	expect(world, "");
	add(world, "1.0 o +  blank in front\n");
	expect(world, "o+ blank in front|");
}

static void note_time(const struct log_record *record, void *data)
{
	*(int64_t *)data = record->time_us;
}

static void read_time(void **state)
{
	struct world *world = *state;
	int64_t time_us = 0;

	add(world, "1700000000.012345 o + x\n");
	assert_int_equal(log_read(&world->reader, note_time, &time_us), 0);
	assert_int_equal(time_us, 1700000000012345);
}

static void read_unfinished_record(void **state)
{
	struct world *world = *state;

	add(world, "1.0 o + one\n1.0 o");
	expect(world, "o+one|");
	add(world, " + tw");
	expect(world, "");
	add(world, "o\n");
	expect(world, "o+two|");
}

static void read_what_is_no_record(void **state)
{
	struct world *world = *state;

	add(world, "1.0 o + one\n1.0\n\n1.0 o\n1.0 x + a\n1.0 o * b\n1.0 o +c\n-1.0 o + d\n"
		   "99999999999999999999.0 o + e\nrubbish\n1.0 e + two\n");
	expect(world, "o+one|e+two|");
}

static void read_nul_bytes(void **state)
{
	struct world *world = *state;
	static const char record[] = "1.0 o + a\0b\n";

	assert_int_equal(file_write_all(world->log, record, sizeof(record) - 1), 0);
	text_deinit(&world->seen);
	assert_int_equal(log_read(&world->reader, note, world), 0);
	assert_int_equal(world->seen.length, 6);
	assert_memory_equal(world->seen.data, "o+a\0b|", 6);
}

/* Records of 64 bytes each: "1.0 o + 000000....\n" */
static void add_numbered(struct world *world, unsigned from, unsigned to)
{
	struct text text = {0};

	for (unsigned i = from; i < to; i++)
		text_addf(&text, "1.0 o + %06u%049u\n", i, 0U);
	add(world, text.data);
	text_deinit(&text);
}

static void punch(struct world *world, off_t length)
{
	if (fallocate(world->log, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, length) < 0)
		skip();
}

static unsigned first_number(const struct world *world)
{
	unsigned number = 999999;

	assert_true(world->seen.length > 8);
	sscanf(world->seen.data, "o+%6u", &number);
	return number;
}

static void read_behind_hole(void **state)
{
	struct world *world = *state;

	add(world, "1.0 e + x\n"); /* so that blocks do not end with records */
	add_numbered(world, 0, 1000);
	punch(world, 4 * BLOCK);
	assert_int_equal(log_read(&world->reader, note, world), 0);
	assert_int_equal(first_number(world), 4 * BLOCK / 64);
	assert_int_equal(world->records, 1000 - 4 * BLOCK / 64);
}

static void read_after_hole_grew_over_offset(void **state)
{
	struct world *world = *state;

	add(world, "1.0 e + x\n");
	add_numbered(world, 0, 10);
	assert_int_equal(log_read(&world->reader, note, world), 0);
	assert_int_equal(world->records, 11);
	add_numbered(world, 10, 1000);
	punch(world, 8 * BLOCK);
	text_deinit(&world->seen);
	world->records = 0;
	assert_int_equal(log_read(&world->reader, note, world), 0);
	assert_int_equal(first_number(world), 8 * BLOCK / 64);
	assert_int_equal(world->records, 1000 - 8 * BLOCK / 64);
}

/* The rest of a record whose beginning is gone may look like a record of its own. */
static void read_cut_record_that_looks_like_one(void **state)
{
	struct world *world = *state;
	struct text text = {0};

	text_add(&text, "1.0 o + ");
	while (text.length < BLOCK)
		text_add(&text, "x");
	text_add(&text, "1.0 e + forged\n1.0 o + true\n");
	add(world, text.data);
	text_deinit(&text);
	punch(world, BLOCK);
	expect(world, "o+true|");
}

static void read_all_is_hole(void **state)
{
	struct world *world = *state;

	add_numbered(world, 0, 64);
	punch(world, BLOCK);
	expect(world, "");
	add(world, "1.0 o + lost, as what follows a hole\n1.0 o + new\n");
	expect(world, "o+new|");
}

static void read_started_anew(void **state)
{
	struct world *world = *state;

	add_numbered(world, 0, 10);
	assert_int_equal(log_read(&world->reader, note, world), 0);
	assert_int_equal(ftruncate(world->log, 0), 0);
	assert_int_equal(lseek(world->log, 0, SEEK_SET), 0);
	add(world, "1.0 o + anew\n");
	expect(world, "o+anew|");
}

static void skip_to_last_counts(void **state)
{
	struct world *world = *state;

	add(world, "1.0 o + one\n1.0 o + two\n1.0 o + three\n1.0 o + unfini");
	assert_int_equal(log_skip_to_last(&world->reader, 2), 0);
	expect(world, "o+two|o+three|");
	assert_int_equal(log_skip_to_last(&world->reader, 0), 0);
	expect(world, "");
	assert_int_equal(log_skip_to_last(&world->reader, 3), 0);
	expect(world, "o+one|o+two|o+three|");
	assert_int_equal(log_skip_to_last(&world->reader, 4), 0);
	expect(world, "o+one|o+two|o+three|");
	assert_int_equal(log_skip_to_last(&world->reader, 1), 0);
	add(world, "shed\n");
	expect(world, "o+three|o+unfinished|");
}

static void skip_to_last_of_empty(void **state)
{
	struct world *world = *state;

	assert_int_equal(log_skip_to_last(&world->reader, 5), 0);
	add(world, "1.0 o + one\n");
	expect(world, "o+one|");
}

static void skip_to_last_of_many(void **state)
{
	static const size_t wanted[] = {1, 1023, 1024, 1025, 3000, 4999, 5000, 5001};
	struct world *world = *state;

	add_numbered(world, 0, 5000);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		size_t expected = wanted[i] < 5000 ? wanted[i] : 5000;

		text_deinit(&world->seen);
		world->records = 0;
		assert_int_equal(log_skip_to_last(&world->reader, wanted[i]), 0);
		assert_int_equal(log_read(&world->reader, note, world), 0);
		assert_int_equal(world->records, expected);
		assert_int_equal(first_number(world), 5000 - expected);
	}
}

static void skip_to_last_beyond_hole(void **state)
{
	struct world *world = *state;

	add(world, "1.0 e + x\n");
	add_numbered(world, 0, 1000);
	punch(world, 4 * BLOCK);
	assert_int_equal(log_skip_to_last(&world->reader, 900), 0);
	assert_int_equal(log_read(&world->reader, note, world), 0);
	assert_int_equal(first_number(world), 4 * BLOCK / 64);
}

/* Every record that is delivered is whole, and they come in order, whatever the writer lets go. */
static void note_in_order(const struct log_record *record, void *data)
{
	struct world *world = data;
	unsigned number = 0;

	assert_int_equal(record->length, 100);
	assert_int_equal(sscanf(record->text, "%6u", &number), 1);
	assert_true(number >= world->records);
	world->records = number + 1;
}

static void follow_the_writer(void **state)
{
	struct world *world = *state;
	cleanup_free char *batch = xcalloc(1, LOGFILE_BATCH_SIZE);
	struct logfile log;

	logfile_init(&log, world->log, 64 * 1024, batch);
	for (unsigned i = 0; i < 20000; i++) {
		char line[101];

		snprintf(line, sizeof(line), "%06u%094u", i, 0U);
		logfile_add(&log, i % 3 ? 'o' : 'e', true, line, 100);
		if (i % 7 == 0)
			logfile_flush(&log);
		/* sometimes in time, sometimes much too late */
		if (i % 50 == 0 && i % 5000 < 3000)
			assert_int_equal(log_read(&world->reader, note_in_order, world), 0);
	}
	logfile_flush(&log);
	assert_int_equal(log_read(&world->reader, note_in_order, world), 0);
	assert_int_equal(world->records, 20000);
}

static void is_over_when_removed(void **state)
{
	struct world *world = *state;

	add(world, "1.0 o + last words\n");
	assert_false(log_is_over(&world->reader));
	assert_int_equal(unlinkat(world->site.state, "i/" ID "/log", 0), 0);
	assert_true(log_is_over(&world->reader));
	expect(world, "o+last words|");
}

#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(open_without_log),
		test(read_both_streams),
		test(read_time),
		test(read_unfinished_record),
		test(read_what_is_no_record),
		test(read_nul_bytes),
		test(read_behind_hole),
		test(read_after_hole_grew_over_offset),
		test(read_cut_record_that_looks_like_one),
		test(read_all_is_hole),
		test(read_started_anew),
		test(skip_to_last_counts),
		test(skip_to_last_of_empty),
		test(skip_to_last_of_many),
		test(skip_to_last_beyond_hole),
		test(follow_the_writer),
		test(is_over_when_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
