/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/logfile: records, the bound on the file, and disks that are full. */
#include "keeper/lines.h"
#include "keeper/logfile.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#define LIMIT (256 * 1024)
#define SLACK (LOGFILE_BATCH_SIZE + 4096)

struct world {
	struct logfile log;
	int fd;
	char *batch;
};

static int world_setup(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	world->fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_true(world->fd >= 0);
	world->batch = xcalloc(LOGFILE_BATCH_SIZE, 1);
	logfile_init(&world->log, world->fd, LIMIT, world->batch);
	*state = world;
	return 0;
}

static int world_teardown(void **state)
{
	struct world *world = *state;

	close(world->fd);
	free(world->batch);
	free(world);
	return 0;
}

static void add(struct logfile *log, const char *text)
{
	logfile_add(log, 'o', true, text, strlen(text));
}

static char *content(int fd, size_t *ret_length)
{
	struct stat st;
	char *text;

	assert_int_equal(fstat(fd, &st), 0);
	text = xcalloc((size_t)st.st_size + 1, 1);
	assert_int_equal(pread(fd, text, (size_t)st.st_size, 0), st.st_size);
	*ret_length = (size_t)st.st_size;
	return text;
}

/* Takes the stamp off each record. */
static char *records(int fd)
{
	size_t length;
	char *text = content(fd, &length), *to = text;
	char *line = text;

	for (char *end; (end = strchr(line, '\n')); line = end + 1) {
		char *from = strchr(line, ' ');

		if (!from || from > end)
			from = line;
		memmove(to, from, (size_t)(end + 1 - from));
		to += end + 1 - from;
	}
	*to = '\0';
	return text;
}

static void expect_records(int fd, const char *expected)
{
	cleanup_free char *text = records(fd);

	assert_string_equal(text, expected);
}

static uint64_t occupied(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void logfile_add_writes_any_bytes_as_they_are(void **state)
{
	static const char any[] = "a\0b\x1b[31m\xff";
	struct world *world = *state;
	cleanup_free char *text = NULL;
	size_t length;

	logfile_add(&world->log, 'e', false, any, sizeof(any) - 1);
	logfile_flush(&world->log);
	text = content(world->fd, &length);
	assert_int_equal(text[10], '.');
	assert_memory_equal(text + 17, " e - ", 5);
	assert_int_equal(length, 22 + sizeof(any));
	assert_memory_equal(text + 22, any, sizeof(any) - 1);
	assert_int_equal(text[length - 1], '\n');
}

static void logfile_flush_writes_records_in_order(void **state)
{
	struct world *world = *state;

	add(&world->log, "one");
	add(&world->log, "");
	logfile_flush(&world->log);
	logfile_flush(&world->log);
	add(&world->log, "two");
	logfile_flush(&world->log);
	expect_records(world->fd, " o + one\n o + \n o + two\n");
}

static void logfile_add_flushes_when_the_batch_is_full(void **state)
{
	struct world *world = *state;
	char line[LINES_PIECE_MAX];
	struct stat st;

	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 20; i++)
		logfile_add(&world->log, 'o', false, line, sizeof(line));
	logfile_flush(&world->log);
	assert_int_equal(fstat(world->fd, &st), 0);
	assert_int_equal(st.st_size, 20 * (22 + LINES_PIECE_MAX + 1));
}

static void logfile_init_goes_on_behind_what_is_there(void **state)
{
	struct world *world = *state;

	add(&world->log, "before");
	logfile_flush(&world->log);
	logfile_init(&world->log, world->fd, LIMIT, world->batch);
	add(&world->log, "after");
	logfile_flush(&world->log);
	expect_records(world->fd, " o + before\n o + after\n");
}

/* Writes numbered lines of 100 bytes, a few per flush; each has its number at its end. */
static void write_numbers(struct world *world, int from, int to)
{
	for (int i = from; i < to; i++) {
		char line[101];

		snprintf(line, sizeof(line), "%0*d", 100, i);
		add(&world->log, line);
		if (i % 7 == 0) {
			logfile_flush(&world->log);
			assert_true(occupied(world->fd) <= LIMIT + SLACK);
		}
	}
	logfile_flush(&world->log);
}

/* The last n lines in the file are the numbers up to but without end. */
static void expect_tail(int fd, int end, int n)
{
	size_t length;
	cleanup_free char *text = content(fd, &length);
	const char *line = text + length;

	for (int i = end - 1; i >= end - n; i--) {
		char expected[128];

		line -= 123;
		assert_true(line >= text);
		snprintf(expected, sizeof(expected), " o + %0*d\n", 100, i);
		assert_memory_equal(line + 17, expected, 106);
	}
}

static void logfile_flush_keeps_the_tail_within_the_limit(void **state)
{
	struct world *world = *state;
	struct stat st;

	write_numbers(world, 0, 40000);
	assert_int_equal(fstat(world->fd, &st), 0);
	assert_int_equal(st.st_size, 40000 * 123); /* offsets never move */
	assert_true(lseek(world->fd, 0, SEEK_DATA) > 0);
	expect_tail(world->fd, 40000, LIMIT * 3 / 4 / 123);
}

static void logfile_init_finds_the_hole_again(void **state)
{
	struct world *world = *state;

	write_numbers(world, 0, 10000);
	logfile_init(&world->log, world->fd, LIMIT, world->batch);
	assert_true(world->log.start > 0);
	write_numbers(world, 10000, 20000);
	expect_tail(world->fd, 20000, LIMIT * 3 / 4 / 123);
}

static void logfile_flush_truncates_where_holes_are_unknown(void **state)
{
	struct world *world = *state;
	struct stat st;

	world->log.cannot_punch = true;
	write_numbers(world, 0, 40000);
	assert_int_equal(fstat(world->fd, &st), 0);
	assert_true(st.st_size <= LIMIT + SLACK);
	assert_true(st.st_size > 0);
	expect_tail(world->fd, 40000, (int)(st.st_size / 123));
}

static void logfile_flush_keeps_all_without_limit(void **state)
{
	struct world *world = *state;

	world->log.limit = 0;
	for (int i = 0; i < 4000; i++) {
		char line[101];

		snprintf(line, sizeof(line), "%0*d", 100, i);
		add(&world->log, line);
	}
	logfile_flush(&world->log);
	expect_tail(world->fd, 4000, 4000);
}

static void logfile_flush_counts_what_a_full_disk_lost(void **state)
{
	cleanup_fd int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct world *world = *state;

	assert_true(full >= 0);
	add(&world->log, "kept");
	logfile_flush(&world->log);
	world->log.fd = full;
	for (int i = 0; i < 3; i++) {
		add(&world->log, "lost");
		add(&world->log, "lost too");
		logfile_flush(&world->log);
	}
	world->log.fd = world->fd;
	add(&world->log, "kept again");
	logfile_flush(&world->log);
	add(&world->log, "and again");
	logfile_flush(&world->log);
	expect_records(world->fd, " o + kept\n"
				  " e + stint: lines of output missing here: 6 "
				  "(the log could not be written)\n"
				  " o + kept again\n o + and again\n");
}

/* A sealed memory file of one page takes a part of a batch and no more, as a disk may. */
static void logfile_flush_ends_a_torn_record(void **state)
{
	struct world *world = *state;
	int sealed = memfd_create("log", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	cleanup_free char *text = NULL;
	char line[701];
	size_t length;
	ssize_t copied;

	assert_true(sealed >= 0);
	assert_int_equal(ftruncate(sealed, 4096), 0);
	assert_int_equal(fcntl(sealed, F_ADD_SEALS, F_SEAL_GROW), 0);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	world->log.fd = sealed;
	for (int i = 0; i < 7; i++)
		add(&world->log, line);
	logfile_flush(&world->log);
	assert_int_equal(world->log.end, 4096);
	assert_int_equal(world->log.lost, 2); /* the torn one counts */
	assert_true(world->log.torn);
	/* now the disk has room again */
	text = content(sealed, &length);
	copied = pwrite(world->fd, text, length, 0);
	assert_int_equal(copied, 4096);
	close(sealed);
	world->log.fd = world->fd;
	add(&world->log, "after");
	logfile_flush(&world->log);
	free(steal_ptr(text));
	text = content(world->fd, &length);
	assert_int_equal(text[4095], 'x');
	assert_int_equal(text[4096], '\n');
	assert_memory_equal(text + 4097 + 17, " e + stint: lines of output missing here: 2 ", 44);
	assert_memory_equal(text + length - 11, " o + after\n", 11);
	assert_false(world->log.torn);
	assert_int_equal(world->log.lost, 0);
}

static void logfile_flush_starts_over_at_the_longest_file(void **state)
{
	struct rlimit old, small = {64 * 1024, RLIM_INFINITY};
	struct world *world = *state;
	cleanup_free char *text = NULL;
	size_t length;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	write_numbers(world, 0, 4000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	text = content(world->fd, &length);
	assert_true(length <= 64 * 1024);
	/* what it holds is from the end of what was written, not from the beginning */
	assert_non_null(strstr(text, "003900\n"));
	assert_null(strstr(text, "003000\n"));
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(logfile_add_writes_any_bytes_as_they_are),
		with_world(logfile_flush_writes_records_in_order),
		with_world(logfile_add_flushes_when_the_batch_is_full),
		with_world(logfile_init_goes_on_behind_what_is_there),
		with_world(logfile_flush_keeps_the_tail_within_the_limit),
		with_world(logfile_init_finds_the_hole_again),
		with_world(logfile_flush_truncates_where_holes_are_unknown),
		with_world(logfile_flush_keeps_all_without_limit),
		with_world(logfile_flush_counts_what_a_full_disk_lost),
		with_world(logfile_flush_ends_a_torn_record),
		with_world(logfile_flush_starts_over_at_the_longest_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
