/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/forwarder: readiness, held connections, and what happens to the output. */
#include "rig.h"
#include "base/cleanup.h"
#include "base/socket.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static void answer_probe(const struct rig *rig, const char *answer)
{
	char request[512];
	int fd = rig_accept(rig);
	ssize_t n = read(fd, request, sizeof(request) - 1);

	assert_true(n > 0);
	request[n] = '\0';
	assert_non_null(strstr(request, "GET /ready HTTP/1.1\r\nHost: 127.0.0.1:"));
	assert_non_null(strstr(request, "\r\nConnection: close\r\n"));
	send_all(fd, answer);
	close(fd);
}

static void forwarder_run_holds_early_connections(void **state)
{
	struct rig *rig = *state;
	int early, inside;

	rig->config.ready.kind = READY_HTTP;
	rig_start(rig);
	early = rig_connect(rig);
	assert_true(early >= 0);
	send_all(early, "hello");
	rig_say_started(rig, 7);
	answer_probe(rig, "HTTP/1.1 503 Not Yet\r\n\r\n");
	answer_probe(rig, "HTTP/1.1 503 Not Yet\r\n\r\n");
	rig_expect_tried(rig, 7, TRIED_STATUS, 503);
	rig_expect_silence(rig);
	answer_probe(rig, "HTTP/1.1 200 OK\r\n\r\n");
	rig_expect_ready(rig, 7);
	inside = rig_accept(rig);
	expect_bytes(inside, "hello");
	send_all(inside, "answer");
	expect_bytes(early, "answer");
	close(inside);
	close(early);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_refuses_before_ready_without_hold(void **state)
{
	struct rig *rig = *state;
	int client, inside;

	rig->config.hold = false;
	rig->config.ready.kind = READY_HTTP;
	rig_start(rig);
	rig_say_started(rig, 1);
	answer_probe(rig, "HTTP/1.1 503 Not Yet\r\n\r\n");
	assert_int_equal(rig_connect(rig), -1);
	assert_int_equal(errno, ECONNREFUSED);
	answer_probe(rig, "HTTP/1.1 200 OK\r\n\r\n");
	rig_expect_ready(rig, 1);
	rig_join(rig, &client, &inside);
	close(client);
	expect_end(inside);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_ends_and_holds_connections_at_pause(void **state)
{
	struct rig *rig = *state;
	int client, inside, held;

	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	rig_say(rig, FORWARDER_PAUSE);
	expect_reset(client);
	expect_reset(inside);
	close(client);
	close(inside);
	held = rig_connect(rig);
	assert_true(held >= 0);
	rig_say_started(rig, 2);
	rig_expect_ready(rig, 2);
	inside = rig_accept(rig);
	close(held);
	expect_end(inside);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_resets_after_pause_without_hold(void **state)
{
	struct rig *rig = *state;
	int client, inside;

	rig->config.hold = false;
	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	rig_say(rig, FORWARDER_PAUSE);
	expect_reset(client);
	close(client);
	close(inside);
	client = rig_connect(rig);
	assert_true(client >= 0);
	expect_reset(client);
	close(client);
	rig_say_started(rig, 2);
	rig_expect_ready(rig, 2);
	rig_join(rig, &client, &inside);
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_opens_at_the_keepers_word(void **state)
{
	struct rig *rig = *state;
	int client, inside;

	rig->config.ready.kind = READY_COMMAND;
	rig_start(rig);
	rig_say_started(rig, 1);
	rig_say(rig, FORWARDER_OPEN);
	rig_join(rig, &client, &inside);
	rig_expect_silence(rig);
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_is_ready_by_tcp(void **state)
{
	struct rig *rig = *state;

	rig->config.ready.kind = rig->config.ready.checks[0].kind = READY_TCP;
	rig_start_open(rig);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_matches_a_line_split_over_writes(void **state)
{
	struct rig *rig = *state;

	rig->config.ready = (struct plan_ready){.kind = READY_LOG, .pattern = "^started in [0-9]+"};
	rig_start(rig);
	rig_say_started(rig, 1);
	send_all(rig->errs, "not started in 5\nsta");
	rig_expect_log(rig, "not started in 5\n");
	rig_expect_silence(rig);
	send_all(rig->errs, "rted in 12");
	send_all(rig->out, "else\n");
	rig_expect_log(rig, "else\n");
	rig_expect_silence(rig);
	send_all(rig->errs, "3 ms\r\n");
	rig_expect_ready(rig, 1);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_counts_a_line_that_outran_the_keeper(void **state)
{
	struct rig *rig = *state;

	rig->config.ready = (struct plan_ready){.kind = READY_LOG, .pattern = "up"};
	rig_start(rig);
	send_all(rig->out, "up\n");
	rig_expect_log(rig, "up\n");
	rig_expect_silence(rig);
	rig_say_started(rig, 1);
	rig_expect_ready(rig, 1);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_forgets_matches_at_pause(void **state)
{
	struct rig *rig = *state;

	rig->config.ready = (struct plan_ready){.kind = READY_LOG, .pattern = "^up$"};
	rig_start(rig);
	send_all(rig->out, "up\nhalf");
	rig_expect_log(rig, "up\n");
	rig_say(rig, FORWARDER_PAUSE);
	rig_expect_log(rig, " o + half\n");
	rig_say_started(rig, 2);
	send_all(rig->out, "down\n");
	rig_expect_log(rig, "down\n");
	rig_expect_silence(rig);
	send_all(rig->out, "up\n");
	rig_expect_ready(rig, 2);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_says_why_a_pattern_is_bad(void **state)
{
	struct rig *rig = *state;

	rig->config.ready = (struct plan_ready){.kind = READY_LOG, .pattern = "a("};
	rig_start(rig);
	assert_int_equal(rig_wait_exit(rig), 1);
	assert_true(rig_log_contains(rig, " e + stint: 'a(' is no regular expression: "));
}

static void forwarder_run_records_both_streams(void **state)
{
	static const char shape[] = "^[0-9]{10,}\\.[0-9]{6} [oe] [+-] [^\n]*$";
	struct rig *rig = *state;
	cleanup_free char *text = NULL;
	regex_t regex;
	size_t length;

	rig_start(rig);
	send_all(rig->out, "one\n\ntwo\n");
	send_all(rig->errs, "three\n");
	rig_expect_log(rig, " o + one\n");
	rig_expect_log(rig, " o + two\n");
	rig_expect_log(rig, " e + three\n");
	assert_int_equal(rig_finish(rig), 0);
	text = rig_log(rig, &length);
	assert_int_equal(regcomp(&regex, shape, REG_EXTENDED | REG_NOSUB), 0);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_int_equal(regexec(&regex, line, 0, NULL, 0), 0);
	regfree(&regex);
}

static void forwarder_run_writes_what_is_left_at_finish(void **state)
{
	struct rig *rig = *state;

	rig_start(rig);
	send_all(rig->out, "done\nunfinished");
	assert_int_equal(rig_finish(rig), 0);
	/* the write end is still open here: nobody waited for the end of the stream */
	assert_true(rig_log_contains(rig, " o + done\n"));
	assert_true(rig_log_contains(rig, " o - unfinished\n"));
}

static void forwarder_run_ends_when_the_keeper_is_gone(void **state)
{
	struct rig *rig = *state;

	rig_start(rig);
	send_all(rig->errs, "last words\n");
	cleanup_close(&rig->channel);
	assert_int_equal(rig_wait_exit(rig), 0);
	assert_true(rig_log_contains(rig, "last words\n"));
}

static pid_t flood(int fd)
{
	static const char words[] = "flood flood flood flood flood flood flood\nflood\nx\n\n";
	pid_t pid = fork();

	assert_true(pid >= 0);
	while (pid == 0)
		if (write(fd, words, sizeof(words) - 1) < 0)
			_exit(0);
	return pid;
}

static void end_flood(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void forwarder_run_serves_and_ends_under_a_flood_of_output(void **state)
{
	struct rig *rig = *state;
	int client, inside;
	pid_t pids[2];
	struct stat st;

	rig_start_open(rig);
	pids[0] = flood(rig->out);
	pids[1] = flood(rig->errs);
	rig_expect_log(rig, "flood");
	rig_join(rig, &client, &inside);
	for (int i = 0; i < 100; i++) {
		send_all(client, "ping");
		expect_bytes(inside, "ping");
		send_all(inside, "pong");
		expect_bytes(client, "pong");
	}
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
	end_flood(pids[0]);
	end_flood(pids[1]);
	assert_int_equal(fstat(rig->log, &st), 0);
	assert_true((uint64_t)st.st_blocks * 512 <= rig->config.log_limit + 128 * 1024);
}

static void forwarder_run_serves_when_the_log_cannot_be_written(void **state)
{
	struct rig *rig = *state;
	int client, inside;
	char words[80];

	cleanup_close(&rig->inherited[3]);
	rig->inherited[3] = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(rig->inherited[3] >= 0);
	rig_start_open(rig);
	memset(words, 'x', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	words[sizeof(words) - 2] = '\n';
	for (int i = 0; i < 5000; i++) /* more than a pipe holds: it goes on reading */
		send_all(rig->out, words);
	rig_join(rig, &client, &inside);
	send_all(client, "still here");
	expect_bytes(inside, "still here");
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_goes_on_when_the_output_ends(void **state)
{
	struct rig *rig = *state;
	int client, inside;
	double before;

	rig_start_open(rig);
	send_all(rig->out, "bye");
	cleanup_close(&rig->out);
	cleanup_close(&rig->errs);
	rig_expect_log(rig, " o - bye\n");
	before = rig_cpu_seconds(rig);
	poll(NULL, 0, 200);
	assert_true(rig_cpu_seconds(rig) - before < 0.05);
	rig_join(rig, &client, &inside);
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_ignores_packets_it_does_not_know(void **state)
{
	struct rig *rig = *state;
	char words[64] = "what is this";

	rig_start(rig);
	assert_int_equal(socket_send(rig->channel, words, sizeof(words), &rig->log, 1), 0);
	assert_int_equal(socket_send(rig->channel, words, 3, NULL, 0), 0);
	rig_say(rig, (enum forwarder_verb)4711);
	rig_say_started(rig, 3);
	rig_expect_ready(rig, 3);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_works_without_output_and_ports(void **state)
{
	struct rig *rig = *state;

	for (int i = 1; i <= 2; i++)
		cleanup_close(&rig->inherited[i]);
	rig->config.n_ports = 0;
	rig_start_open(rig);
	assert_int_equal(rig_finish(rig), 0);
}

/* An instance that was started ahead has none until somebody claims it. */
static void forwarder_run_takes_a_port_later(void **state)
{
	struct rig *rig = *state;
	const struct forwarder_port port = rig->config.ports[0];
	const struct forwarder_message message = {
		.verb = FORWARDER_PORT, .serial = port.inside_port, .flags = port.flags};
	int listener = rig_listener(rig), client, inside;

	rig->config.n_ports = 0;
	rig_start(rig);
	rig_say_started(rig, 1);
	rig_expect_ready(rig, 1);
	assert_int_equal(socket_send(rig->channel, &message, sizeof(message), &listener, 1), 0);
	rig_say(rig, FORWARDER_OPEN);
	rig_join(rig, &client, &inside);
	send_all(client, "question");
	expect_bytes(inside, "question");
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void forwarder_run_ends_at_a_port_without_a_socket(void **state)
{
	struct rig *rig = *state;

	rig->config.n_ports = 0;
	rig_start(rig);
	rig_say(rig, FORWARDER_PORT);
	assert_int_equal(rig_wait_exit(rig), 1);
}

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_rig(forwarder_run_holds_early_connections),
		with_rig(forwarder_run_refuses_before_ready_without_hold),
		with_rig(forwarder_run_ends_and_holds_connections_at_pause),
		with_rig(forwarder_run_resets_after_pause_without_hold),
		with_rig(forwarder_run_opens_at_the_keepers_word),
		with_rig(forwarder_run_is_ready_by_tcp),
		with_rig(forwarder_run_matches_a_line_split_over_writes),
		with_rig(forwarder_run_counts_a_line_that_outran_the_keeper),
		with_rig(forwarder_run_forgets_matches_at_pause),
		with_rig(forwarder_run_says_why_a_pattern_is_bad),
		with_rig(forwarder_run_records_both_streams),
		with_rig(forwarder_run_writes_what_is_left_at_finish),
		with_rig(forwarder_run_ends_when_the_keeper_is_gone),
		with_rig(forwarder_run_serves_and_ends_under_a_flood_of_output),
		with_rig(forwarder_run_serves_when_the_log_cannot_be_written),
		with_rig(forwarder_run_goes_on_when_the_output_ends),
		with_rig(forwarder_run_ignores_packets_it_does_not_know),
		with_rig(forwarder_run_works_without_output_and_ports),
		with_rig(forwarder_run_takes_a_port_later),
		with_rig(forwarder_run_ends_at_a_port_without_a_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
