/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/output: nothing is lost, and nobody is read faster than the pace. */
#include "keeper/output.h"
#include "base/clock.h"
#include "base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PORTION 65536

struct rig {
	struct loop loop;
	struct output output;
	int writers[2];
	char buffer[PORTION];
	size_t lines, bytes, of_errs;
	bool complete; /* the last piece was the end of a line */
};

static void take(void *arg, char letter, const struct lines_piece *piece)
{
	struct rig *rig = arg;

	rig->lines++;
	rig->bytes += piece->length;
	rig->of_errs += letter == 'e';
	rig->complete = piece->last;
}

static int rig_setup(void **state)
{
	struct rig *rig = xcalloc(1, sizeof(*rig));
	int out[2], errs[2];

	assert_int_equal(loop_init(&rig->loop), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(errs, O_CLOEXEC), 0);
	rig->writers[0] = out[1];
	rig->writers[1] = errs[1];
	assert_int_equal(output_init(&rig->output, &rig->loop, out[0], errs[0], rig->buffer,
				     sizeof(rig->buffer), take, rig),
			 0);
	*state = rig;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *rig = *state;

	output_finish(&rig->output);
	loop_deinit(&rig->loop);
	for (size_t i = 0; i < 2; i++)
		if (rig->writers[i] >= 0)
			close(rig->writers[i]);
	free(rig);
	return 0;
}

/* A process that writes the portion so often to one of the streams; both end with it. */
static pid_t pour(struct rig *rig, size_t stream, const char *portion, size_t length, int times)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (int i = 0; i < times; i++)
			if (write(rig->writers[stream], portion, length) != (ssize_t)length)
				_exit(1);
		_exit(0);
	}
	for (size_t i = 0; i < 2; i++) {
		close(rig->writers[i]);
		rig->writers[i] = -1;
	}
	return pid;
}

/* Until both streams have ended; how long that took. */
static int64_t serve(struct rig *rig)
{
	int64_t began = clock_boottime_ns();

	while (rig->output.streams[0].source || rig->output.streams[1].source) {
		int64_t now = clock_boottime_ns(), next = output_step(&rig->output, now);

		assert_true(now - began < 30 * NSEC_PER_SEC);
		assert_true(loop_run_once(&rig->loop,
					  next == INT64_MAX
						  ? 1000
						  : (int)((next - now) / NSEC_PER_MSEC) + 1) >= 0);
	}
	return clock_boottime_ns() - began;
}

static void output_passes_a_burst_at_once(void **state)
{
	static char portion[4096];
	struct rig *rig = *state;
	pid_t pid;

	memset(portion, '\n', sizeof(portion));
	pid = pour(rig, 0, portion, sizeof(portion), 40);
	/* nobody had to wait: whatever the machine is doing, that is no pause of the pace */
	serve(rig);
	assert_int_equal(rig->lines, 40 * sizeof(portion));
	assert_true(rig->output.settled_ns <= clock_boottime_ns());
	waitpid(pid, NULL, 0);
}

static void output_keeps_the_pace_of_lines_and_loses_none(void **state)
{
	static char portion[4096];
	struct rig *rig = *state;
	int64_t took;
	pid_t pid;

	memset(portion, '\n', sizeof(portion));
	pid = pour(rig, 1, portion, sizeof(portion), 147);
	took = serve(rig);
	/* three seconds' worth, of which one comes ahead */
	assert_int_equal(rig->lines, 147 * sizeof(portion));
	assert_int_equal(rig->of_errs, rig->lines);
	assert_true(took > 3 * NSEC_PER_SEC / 2);
	waitpid(pid, NULL, 0);
}

static void output_keeps_the_pace_of_bytes_and_loses_none(void **state)
{
	static char portion[4096];
	struct rig *rig = *state;
	int64_t took;
	pid_t pid;

	memset(portion, 'x', sizeof(portion));
	portion[sizeof(portion) - 1] = '\n';
	pid = pour(rig, 0, portion, sizeof(portion), 10240);
	took = serve(rig);
	/* 40 MiB, of which 16 come ahead */
	assert_int_equal(rig->lines, 10240);
	assert_int_equal(rig->bytes, 10240 * (sizeof(portion) - 1));
	assert_true(took > NSEC_PER_SEC);
	waitpid(pid, NULL, 0);
}

/* What one server wrote too fast does not count as the next one's. */
static void output_end_server_takes_what_waits(void **state)
{
	static char portion[4096];
	struct rig *rig = *state;
	size_t before;

	memset(portion, '\n', sizeof(portion));
	while (rig->output.settled_ns <= clock_boottime_ns()) {
		assert_int_equal(write(rig->writers[0], portion, sizeof(portion)), 4096);
		assert_int_equal(loop_run_once(&rig->loop, 0), 1);
	}
	before = rig->lines;
	assert_int_equal(write(rig->writers[0], "a\nb", 3), 3);
	assert_int_equal(loop_run_once(&rig->loop, 0), 0);
	assert_int_equal(rig->lines, before);
	output_end_server(&rig->output);
	assert_int_equal(rig->lines, before + 2);
	assert_true(rig->complete);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(output_passes_a_burst_at_once, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(output_keeps_the_pace_of_lines_and_loses_none,
						rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(output_keeps_the_pace_of_bytes_and_loses_none,
						rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(output_end_server_takes_what_waits, rig_setup,
						rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
