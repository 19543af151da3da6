/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/status: what commands read of an instance without asking its keeper. */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "keeper/status.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void assert_same(const struct status *a, const struct status *b)
{
	assert_int_equal(a->state, b->state);
	assert_true(a->started_ns == b->started_ns && a->ready_ns == b->ready_ns);
	assert_int_equal(a->restarts, b->restarts);
	assert_int_equal(a->exit_status, b->exit_status);
	assert_int_equal(a->exit_signal, b->exit_signal);
	assert_string_equal(a->reason, b->reason);
}

static void status_read_returns_what_was_written(void **state)
{
	static const struct status cases[] = {
		{.exit_status = -1},
		{.state = STATE_READY, .started_ns = 1, .ready_ns = INT64_MAX, .exit_status = -1},
		{.state = STATE_ENDED,
		 .started_ns = INT64_MIN,
		 .restarts = UINT32_MAX,
		 .exit_status = 255,
		 .exit_signal = 9,
		 .reason = "stopped by \"al ice\" 100% 1 2 3"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct status read;

		assert_int_equal(status_write(w->dir, &cases[i]), 0);
		assert_int_equal(status_read(w->dir, &read), 0);
		assert_same(&read, &cases[i]);
	}
}

static void status_write_is_for_root_only(void **state)
{
	struct world *w = *state;
	struct status status = {0};
	struct stat st;

	assert_int_equal(status_write(w->dir, &status), 0);
	assert_int_equal(fstatat(w->dir, STATUS_FILE_NAME, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* A reason is one line, and as long as its field. */
static void status_read_of_a_long_reason_and_of_lines(void **state)
{
	struct status status = {.state = STATE_ENDED}, read;
	struct world *w = *state;

	memset(status.reason, 'r', sizeof(status.reason) - 1);
	assert_int_equal(status_write(w->dir, &status), 0);
	assert_int_equal(status_read(w->dir, &read), 0);
	assert_string_equal(read.reason, status.reason);
	strcpy(status.reason, "first\nsecond");
	assert_int_equal(status_write(w->dir, &status), 0);
	assert_int_equal(status_read(w->dir, &read), 0);
	assert_string_equal(read.reason, "first");
}

static void status_read_before_any_was_written(void **state)
{
	struct status untouched = {.state = STATE_LOST};
	struct world *w = *state;

	assert_int_equal(status_read(w->dir, &untouched), -ENOENT);
	assert_int_equal(untouched.state, STATE_LOST);
}

static void status_read_of_what_is_no_status(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{"", -EBADMSG},
		{"\n", -EBADMSG},
		{"1 2 3 4 5 6", -EBADMSG},
		{"1 2 3 4 5 6 7", -EBADMSG},
		{"1 2 3 4 5 6 7 reason\n", -EBADMSG},
		{"2 2 3 4 5 6 7\nreason\n", -EBADMSG},
		{"1 x 3 4 5 6 7\nreason\n", -EBADMSG},
		{"2 2 3 4 5 6 7\n", -EBADMSG},
		{"2 2 3 4 5 6 7 8 9\n", -EBADMSG},
		{"3 2 3 4 5 6 7 8 9 1\n", -EBADMSG},
		{"1 2 3 4 5 6 7\n", 0},
		{"2 2 3 4 5 6 7 8 9 1\n", 0},
		{"1 2 3 4 5 6 7\nreason", 0},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct status read;

		world_file(w, STATUS_FILE_NAME, cases[i].text, 0600);
		assert_int_equal(status_read(w->dir, &read), cases[i].result);
	}
}

static void status_read_of_a_huge_file(void **state)
{
	cleanup_free char *text = xcalloc(1, 10001);
	struct world *w = *state;
	struct status read;

	memset(text, '1', 10000);
	world_file(w, STATUS_FILE_NAME, text, 0600);
	assert_int_equal(status_read(w->dir, &read), -EFBIG);
}

static void write_again_and_again(const void *arg)
{
	const struct world *w = arg;

	for (int i = 0; i < 400; i++) {
		struct status status = {.state = STATE_READY, .restarts = (uint32_t)i};

		memset(status.reason, 'a' + i % 26, (size_t)(i % (CONTROL_REASON_SIZE - 1)));
		must(status_write(w->dir, &status) == 0);
	}
}

static void status_read_while_it_is_written(void **state)
{
	struct world *w = *state;
	uint32_t last = 0;
	pid_t writer;
	int status;

	write_again_and_again(w);
	writer = start_child(write_again_and_again, w);
	do {
		struct status read;
		size_t n;

		assert_int_equal(status_read(w->dir, &read), 0);
		n = read.restarts % (CONTROL_REASON_SIZE - 1);
		assert_int_equal(strlen(read.reason), n);
		assert_true(n == 0 || read.reason[0] == (char)('a' + read.restarts % 26));
		assert_true(read.restarts >= last || last == 399);
		last = read.restarts;
	} while (waitpid(writer, &status, WNOHANG) == 0);
	assert_int_equal(status, 0);
}

static void instance_state_name_of_every_state(void **state)
{
	static const char *const names[] = {"creating", "starting", "ready", "stopping", "ended",
					    "lost",	"frozen",   "kept",  "stuck",	 "spare"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(instance_state_name((enum instance_state)i), names[i]);
	assert_string_equal(instance_state_name((enum instance_state)ARRAY_SIZE(names)), "unknown");
	assert_string_equal(instance_state_name((enum instance_state) - 1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(status_read_returns_what_was_written),
		with_world(status_write_is_for_root_only),
		with_world(status_read_of_a_long_reason_and_of_lines),
		with_world(status_read_before_any_was_written),
		with_world(status_read_of_what_is_no_status),
		with_world(status_read_of_a_huge_file),
		with_world(status_read_while_it_is_written),
		cmocka_unit_test(instance_state_name_of_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
