/* SPDX-License-Identifier: Apache-2.0 */
/* A forwarder in a child process; see rig.h. */
#include "rig.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define LOG_SHOWN (1 << 20)

enum { CHILD_CHANNEL, CHILD_OUT, CHILD_ERRS, CHILD_LOG, CHILD_LISTENER };

/* Present under AddressSanitizer only; _exit() would skip it. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier): the sanitizer chose the name */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

bool is_sanitized(void)
{
	return __lsan_do_recoverable_leak_check != NULL;
}

int listen_anywhere(bool listening)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	if (listening)
		assert_int_equal(listen(fd, SOMAXCONN), 0);
	return fd;
}

uint16_t port_of(int fd)
{
	struct sockaddr_in own = {0};
	socklen_t size = sizeof(own);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
	return ntohs(own.sin_port);
}

static void make_pipe(int *ret_reader, int *ret_writer)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	*ret_reader = fds[0];
	*ret_writer = fds[1];
}

static int open_log(void)
{
	char path[] = "/tmp/stint-forwarder-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

int rig_setup(void **state)
{
	struct rig *rig = xcalloc(1, sizeof(*rig));
	int channel[2];

	signal(SIGPIPE, SIG_IGN);
	rig->pidfd = -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
	rig->channel = channel[0];
	rig->inherited[CHILD_CHANNEL] = channel[1];
	make_pipe(&rig->inherited[CHILD_OUT], &rig->out);
	make_pipe(&rig->inherited[CHILD_ERRS], &rig->errs);
	rig->log = open_log();
	rig->inherited[CHILD_LOG] = fcntl(rig->log, F_DUPFD_CLOEXEC, 3);
	rig->inherited[CHILD_LISTENER] = listen_anywhere(false);
	rig->server = listen_anywhere(true);
	rig->config = (struct forwarder){
		.log_limit = 1 << 20,
		.address = INADDR_LOOPBACK,
		.n_ports = 1,
		.ports = {{.inside_port = port_of(rig->server)}},
		.ready = {.kind = READY_NONE,
			  .checks = {{.kind = READY_HTTP,
				      .port = port_of(rig->server),
				      .path = "/ready",
				      .status_from = 200,
				      .status_to = 299}},
			  .n_checks = 1,
			  .interval_ns = 50 * NSEC_PER_MSEC},
		.hold = true,
	};
	*state = rig;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;
	int *const fds[] = {&rig->pidfd, &rig->channel, &rig->out,
			    &rig->errs,	 &rig->log,	&rig->server};

	if (rig->pidfd >= 0) {
		process_pidfd_signal(rig->pidfd, SIGKILL);
		waitpid(rig->child, NULL, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		cleanup_close(fds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(rig->inherited); i++)
		cleanup_close(&rig->inherited[i]);
	free(rig);
	return 0;
}

static void run_child(struct rig *rig)
{
	struct rlimit limit = {rig->descriptors, rig->descriptors};
	int status;

	cleanup_close(&rig->channel);
	cleanup_close(&rig->out);
	cleanup_close(&rig->errs);
	cleanup_close(&rig->server);
	rig->config.channel = rig->inherited[CHILD_CHANNEL];
	rig->config.out = rig->inherited[CHILD_OUT];
	rig->config.errs = rig->inherited[CHILD_ERRS];
	rig->config.log = rig->inherited[CHILD_LOG];
	rig->config.ports[0].listener = rig->inherited[CHILD_LISTENER];
	if (rig->descriptors > 0)
		setrlimit(RLIMIT_NOFILE, &limit);
	status = forwarder_run(&rig->config);
	if (is_sanitized() && __lsan_do_recoverable_leak_check())
		status = 99;
	_exit(status);
}

void rig_start(struct rig *rig)
{
	if (rig->config.hold)
		assert_int_equal(listen(rig->inherited[CHILD_LISTENER], SOMAXCONN), 0);
	fflush(NULL);
	rig->child = fork();
	assert_true(rig->child >= 0);
	if (rig->child == 0)
		run_child(rig);
	rig->pidfd = process_pidfd_open(rig->child);
	assert_true(rig->pidfd >= 0);
	/* the listener stays open here, as it does in the keeper */
	for (int i = CHILD_CHANNEL; i <= CHILD_LOG; i++)
		cleanup_close(&rig->inherited[i]);
}

static void say(const struct rig *rig, enum forwarder_verb verb, uint32_t serial)
{
	struct forwarder_message message = {.verb = verb, .serial = serial};

	assert_int_equal(socket_send(rig->channel, &message, sizeof(message), NULL, 0), 0);
}

void rig_say(const struct rig *rig, enum forwarder_verb verb)
{
	say(rig, verb, 0);
}

void rig_say_started(const struct rig *rig, uint32_t serial)
{
	say(rig, FORWARDER_SERVER_STARTED, serial);
}

void wait_for(int fd, short events)
{
	struct pollfd polled = {.fd = fd, .events = events};

	assert_int_equal(poll(&polled, 1, RIG_BOUND_MS), 1);
}

void rig_expect_ready(const struct rig *rig, uint32_t serial)
{
	struct forwarder_message message;

	do {
		wait_for(rig->channel, POLLIN);
		assert_int_equal(recv(rig->channel, &message, sizeof(message), 0), sizeof(message));
	} while (message.verb == FORWARDER_TRIED);
	assert_int_equal(message.verb, FORWARDER_READY);
	assert_int_equal(message.serial, serial);
}

void rig_expect_tried(const struct rig *rig, uint32_t serial, uint32_t outcome, uint32_t detail)
{
	struct forwarder_message message;

	wait_for(rig->channel, POLLIN);
	assert_int_equal(recv(rig->channel, &message, sizeof(message), 0), sizeof(message));
	assert_int_equal(message.verb, FORWARDER_TRIED);
	assert_int_equal(message.serial, serial);
	assert_int_equal(message.tried.outcome, outcome);
	assert_int_equal(message.tried.detail, detail);
}

void rig_say_drain(const struct rig *rig, uint32_t idle_ms)
{
	say(rig, FORWARDER_DRAIN, idle_ms);
}

void rig_expect_drained(const struct rig *rig)
{
	struct forwarder_message message;

	wait_for(rig->channel, POLLIN);
	assert_int_equal(recv(rig->channel, &message, sizeof(message), 0), sizeof(message));
	assert_int_equal(message.verb, FORWARDER_DRAINED);
}

void rig_expect_silence(const struct rig *rig)
{
	struct pollfd polled = {.fd = rig->channel, .events = POLLIN};

	assert_int_equal(poll(&polled, 1, 0), 0);
}

void rig_start_open(struct rig *rig)
{
	rig_start(rig);
	rig_say_started(rig, 1);
	rig_expect_ready(rig, 1);
}

int rig_wait_exit(struct rig *rig)
{
	int status;

	wait_for(rig->pidfd, POLLIN);
	assert_int_equal(waitpid(rig->child, &status, 0), rig->child);
	cleanup_close(&rig->pidfd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int rig_finish(struct rig *rig)
{
	rig_say(rig, FORWARDER_FINISH);
	return rig_wait_exit(rig);
}

double rig_cpu_seconds(const struct rig *rig)
{
	struct timespec used;
	clockid_t clock;

	assert_int_equal(clock_getcpuclockid(rig->child, &clock), 0);
	assert_int_equal(clock_gettime(clock, &used), 0);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

size_t rig_resident_bytes(const struct rig *rig)
{
	cleanup_free char *path = xasprintf("/proc/%d/statm", rig->child);
	cleanup_file FILE *file = fopen(path, "re");
	unsigned long size, resident;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu", &size, &resident), 2);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void bound_reads(int fd)
{
	struct timeval bound = {.tv_sec = RIG_BOUND_MS / 1000};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound)), 0);
}

int rig_listener(const struct rig *rig)
{
	return rig->inherited[CHILD_LISTENER];
}

int rig_connect(const struct rig *rig)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(port_of(rig_listener(rig)))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	bound_reads(fd);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	cleanup_close(&fd);
	return -1;
}

int rig_accept(const struct rig *rig)
{
	int fd;

	wait_for(rig->server, POLLIN);
	fd = accept4(rig->server, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	bound_reads(fd);
	return fd;
}

void rig_join(const struct rig *rig, int *ret_client, int *ret_inside)
{
	*ret_client = rig_connect(rig);
	assert_true(*ret_client >= 0);
	*ret_inside = rig_accept(rig);
}

void rig_stop_listening(struct rig *rig)
{
	cleanup_close(&rig->server);
}

char *rig_log(const struct rig *rig, size_t *ret_length)
{
	off_t size = lseek(rig->log, 0, SEEK_END);
	off_t from = size > LOG_SHOWN ? size - LOG_SHOWN : 0;
	char *text = xcalloc(LOG_SHOWN + 1, 1);
	ssize_t n = pread(rig->log, text, LOG_SHOWN, from);

	assert_true(n >= 0);
	*ret_length = (size_t)n;
	return text;
}

bool rig_log_contains(const struct rig *rig, const char *words)
{
	size_t length;
	cleanup_free char *text = rig_log(rig, &length);

	return memmem(text, length, words, strlen(words)) != NULL;
}

/* The file tells nobody that it grew, so this looks again and again. */
void rig_expect_log(const struct rig *rig, const char *words)
{
	int64_t until = clock_boottime_ns() + RIG_BOUND_MS * NSEC_PER_MSEC;

	while (!rig_log_contains(rig, words)) {
		assert_true(clock_boottime_ns() < until);
		poll(NULL, 0, 1);
	}
}

void send_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = write(fd, text, left);

		assert_true(n > 0);
		text += n;
		left -= (size_t)n;
	}
}

void expect_bytes(int fd, const char *text)
{
	size_t n = strlen(text);
	char *got = xcalloc(n + 1, 1);

	for (size_t have = 0; have < n;) {
		ssize_t r = read(fd, got + have, n - have);

		assert_true(r > 0);
		have += (size_t)r;
	}
	assert_string_equal(got, text);
	free(got);
}

void expect_end(int fd)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), 0);
}

void expect_reset(int fd)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
}

void close_hard(int fd)
{
	struct linger now = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}
