/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forwarder; see forwarder.h. One loop with these sources: the keeper's channel, the server's
 * two output pipes, the listeners and their connections (relay), and a probe under way. Whether
 * the server is ready is decided here and nowhere else, between two rounds of the loop.
 */
#include "keeper/forwarder.h"
#include "keeper/logfile.h"
#include "keeper/loop.h"
#include "keeper/output.h"
#include "keeper/pattern.h"
#include "keeper/probe.h"
#include "keeper/relay.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/socket.h"
#include "base/text.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define FILES_MAX 65536
#define NEVER INT64_MAX
#define QUIET_AFTER_MS 1000
#define WAIT_MAX_MS (3600 * 1000)

/* Used within one round of the loop only, and given back to the kernel in quiet times. */
struct buffers {
	char input[PAIR_BUFFER_SIZE];
	char batch[LOGFILE_BATCH_SIZE];
};

enum phase {
	PHASE_WAITING, /* for a server */
	PHASE_PROBING, /* there is one, not ready yet */
	PHASE_OPEN,    /* it is ready */
};

struct state {
	const struct forwarder *config;
	struct loop loop;
	struct buffers *buffers;
	struct source *channel;
	struct output output;
	struct logfile log;
	struct pattern pattern;
	struct probe probe;
	struct relay relay;
	enum phase phase;
	uint32_t serial; /* of the server, as the keeper counts them */
	bool matched;	 /* the pattern, or nothing needs to */
	bool reserved;	 /* see forwarder.h */
	bool draining;	 /* until it was told that nobody is connected */
	bool dirty;	 /* the buffers were used since they were given back */
	bool done;
	int status;
};

/* What only the instance's owner can do anything about is told in the log. */
static void end_with(struct state *state, struct error *err)
{
	error_prefix(err, "stint");
	logfile_add(&state->log, 'e', true, err->text, strcspn(err->text, "\n"));
	state->done = true;
	state->status = 1;
}

static void take_piece(void *arg, char letter, const struct lines_piece *piece)
{
	struct state *state = arg;

	logfile_add(&state->log, letter, piece->last, piece->text, piece->length);
	if (piece->first && !state->matched && state->phase != PHASE_OPEN)
		state->matched = pattern_matches(&state->pattern, piece->text, piece->length);
}

static void close_ports(struct state *state)
{
	relay_set_mode(&state->relay, state->config->hold ? RELAY_WAIT : RELAY_REFUSE);
	relay_end_connections(&state->relay);
	probe_stop(&state->probe);
}

static void open_ports(struct state *state)
{
	struct error err = {0};
	int r = state->reserved ? 0 : relay_set_mode(&state->relay, RELAY_JOIN);

	probe_stop(&state->probe);
	state->phase = PHASE_OPEN;
	state->matched = false;
	if (r < 0) {
		error_set(&err, -r, "cannot listen on a published port");
		end_with(state, &err);
	}
}

/* Lines that came before the keeper's word count: it takes a longer way than they do. */
static void server_started(struct state *state, const struct forwarder_message *message)
{
	state->serial = message->serial;
	close_ports(state);
	state->phase = PHASE_PROBING;
	switch (state->config->ready.kind) {
	case READY_NONE:
		state->matched = true;
		break;
	case READY_HTTP:
	case READY_TCP:
		probe_begin(&state->probe, clock_boottime_ns());
		break;
	default:
		break;
	}
}

static void server_ready(struct state *state, const struct forwarder_message *message)
{
	(void)message;
	state->reserved = false;
	open_ports(state);
}

static void drain(struct state *state, const struct forwarder_message *message)
{
	relay_drain(&state->relay, message->serial * NSEC_PER_MSEC);
	state->draining = true;
}

static void server_gone(struct state *state, const struct forwarder_message *message)
{
	(void)message;
	close_ports(state);
	output_end_server(&state->output);
	state->phase = PHASE_WAITING;
	state->matched = false;
}

static void finish(struct state *state, const struct forwarder_message *message)
{
	(void)message;
	state->done = true;
}

/* To the owner, who alone can do anything about it. */
static void warn(struct state *state, const struct forwarder_message *message)
{
	char left[32], line[128];

	format_duration(message->serial * NSEC_PER_SEC, left, sizeof(left));
	snprintf(line, sizeof(line), "stint: this instance ends in %s%s", left,
		 message->idle ? " unless it is used" : "");
	logfile_add(&state->log, 'e', true, line, strlen(line));
}

static void obey(struct state *state, const struct forwarder_message *message)
{
	static const struct {
		uint32_t verb;
		void (*action)(struct state *state, const struct forwarder_message *message);
	} actions[] = {
		{FORWARDER_SERVER_STARTED, server_started},
		{FORWARDER_OPEN, server_ready},
		{FORWARDER_PAUSE, server_gone},
		{FORWARDER_FINISH, finish},
		{FORWARDER_WARN, warn},
		{FORWARDER_DRAIN, drain},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (actions[i].verb == message->verb)
			actions[i].action(state, message);
}

/* Of an instance that was started ahead. The relay takes the socket over. */
static void add_port(struct state *state, const struct forwarder_message *message, int *fds,
		     size_t n_fds)
{
	const struct forwarder_port port = {.listener = n_fds == 1 ? fds[0] : -1,
					    .inside_port = (uint16_t)message->serial,
					    .flags = (uint8_t)message->flags};
	struct error err = {0};
	int r = n_fds == 1 ? relay_add(&state->relay, state->config, &port) : -EBADMSG;

	if (r == 0) {
		fds[0] = -1;
		return;
	}
	error_set(&err, -r, "cannot take a published port");
	end_with(state, &err);
}

static void on_channel(void *arg, uint32_t events)
{
	struct state *state = arg;
	struct forwarder_message message;
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	ssize_t n = socket_receive(state->channel->fd, &message, sizeof(message), fds, &n_fds);

	(void)events;
	if (n == sizeof(message) && message.verb == FORWARDER_PORT)
		add_port(state, &message, fds, n_fds);
	for (size_t i = 0; i < n_fds; i++)
		cleanup_close(&fds[i]);
	if (n == sizeof(message))
		obey(state, &message);
	else if (n <= 0 && n != -EMSGSIZE)
		state->done = true; /* the keeper is gone */
}

static void tell(struct state *state, enum forwarder_verb verb)
{
	struct forwarder_message message = {
		.verb = verb, .serial = state->serial, .tried = state->probe.tried};

	/* a keeper that is gone says so on the channel */
	if (!state->done)
		(void)socket_send(state->channel->fd, &message, sizeof(message), NULL, 0);
}

static void check_drained(struct state *state)
{
	if (!state->draining || state->relay.set.count > 0)
		return;
	state->draining = false;
	tell(state, FORWARDER_DRAINED);
}

static int64_t earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t step(struct state *state)
{
	int64_t now = clock_boottime_ns();
	int64_t output_at = output_step(&state->output, now);
	int64_t probe_at = probe_step(&state->probe, now);
	int64_t relay_at;

	if (state->phase == PHASE_PROBING && (state->matched || state->probe.succeeded)) {
		open_ports(state);
		/* who waits for this may read the log next */
		logfile_flush(&state->log);
		tell(state, FORWARDER_READY);
		probe_at = NEVER;
	} else if (state->phase == PHASE_PROBING && probe_has_news(&state->probe)) {
		tell(state, FORWARDER_TRIED);
	}
	relay_at = relay_step(&state->relay, now);
	check_drained(state);
	logfile_flush(&state->log);
	return earliest(output_at, earliest(probe_at, relay_at));
}

/* From now to the moment, rounded up, or -1 for ever. */
static int wait_ms(int64_t until)
{
	int64_t ms;

	if (until == NEVER)
		return -1;
	ms = (until - clock_boottime_ns() + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	if (ms < 0)
		return 0;
	return ms < WAIT_MAX_MS ? (int)ms : WAIT_MAX_MS;
}

static void run_round(struct state *state, int64_t until)
{
	int ms = wait_ms(until);
	bool may_be_quiet = state->dirty && (ms < 0 || ms > QUIET_AFTER_MS);
	int n = loop_run_once(&state->loop, may_be_quiet ? QUIET_AFTER_MS : ms);
	struct error err = {0};

	if (n > 0) {
		state->dirty = true;
	} else if (n == 0 && may_be_quiet) {
		madvise(state->buffers, sizeof(*state->buffers), MADV_DONTNEED);
		pending_pool_trim(&state->relay.set.pool);
		state->dirty = false;
	} else if (n < 0) {
		error_set(&err, -n, "cannot wait for events");
		end_with(state, &err);
	}
}

static int open_sources(struct state *state, struct error *err)
{
	const struct forwarder *config = state->config;
	int r = relay_init(&state->relay, &state->loop, config, state->buffers->input);

	if (r == 0)
		r = loop_add(&state->loop, config->channel, EPOLLIN, on_channel, state,
			     &state->channel);
	if (r == 0)
		r = output_init(&state->output, &state->loop, config->out, config->errs,
				state->buffers->input, sizeof(state->buffers->input), take_piece,
				state);
	if (r < 0)
		return error_set(err, -r, "cannot watch what the keeper gave");
	if (config->ready.kind == READY_LOG)
		r = pattern_init(&state->pattern, config->ready.pattern, err);
	return r;
}

static void run(struct state *state)
{
	struct error err = {0};

	if (open_sources(state, &err) < 0)
		end_with(state, &err);
	while (!state->done)
		run_round(state, step(state));
	output_finish(&state->output);
	logfile_flush(&state->log);
}

static void deinit(struct state *state)
{
	relay_deinit(&state->relay);
	probe_deinit(&state->probe);
	pattern_deinit(&state->pattern);
	loop_remove(&state->loop, state->channel);
	loop_deinit(&state->loop);
	munmap(state->buffers, sizeof(*state->buffers));
}

/* Each connection takes two descriptors; more than FILES_MAX would only take memory. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
	setrlimit(RLIMIT_NOFILE, &limit);
}

uint32_t forwarder_address(const struct forwarder *forwarder, uint8_t flags)
{
	return flags & PORT_LOOPBACK ? INADDR_LOOPBACK : forwarder->address;
}

int forwarder_run(struct forwarder *forwarder)
{
	cleanup_free struct state *state = xcalloc(1, sizeof(*state));

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	raise_descriptor_limit();
	if (loop_init(&state->loop) < 0)
		return 1;
	state->config = forwarder;
	state->reserved = forwarder->reserved;
	state->buffers = mmap(NULL, sizeof(*state->buffers), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (state->buffers == MAP_FAILED)
		return 1;
	logfile_init(&state->log, forwarder->log, forwarder->log_limit, state->buffers->batch);
	probe_init(&state->probe, &state->loop, &forwarder->ready);
	for (size_t i = 0; i < forwarder->ready.n_checks; i++)
		probe_add(&state->probe, &forwarder->ready.checks[i],
			  forwarder_address(forwarder, forwarder->check_flags[i]),
			  forwarder->check_flags[i] & PORT_PROXY);
	run(state);
	deinit(state);
	return state->status;
}
