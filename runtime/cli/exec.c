/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stint exec: a command inside an instance, forked there by init. Its streams are pipes, or a
 * terminal of the instance's own, that this process copies: no descriptor of the caller goes
 * inside.
 */
#include "cli/exec.h"
#include "cli/commands.h"
#include "cli/caller.h"
#include "cli/output.h"
#include "cli/patience.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "base/socket.h"
#include "instance/account.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>

#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

/*
 * One direction. It is read only when what was read before has been written, and written only
 * when poll(2) says that there is room, at most as much as then fits into a pipe: no direction
 * ever makes another wait.
 */
struct stream {
	int from, to; /* -1: over */
	size_t begin, end;
	char buffer[PIPE_BUF];
};

struct executing {
	int keeper, signals;
	int inside[3]; /* our ends of the pipes */
	int master;    /* of the terminal, -1: pipes */
	struct termios saved;
	struct stream streams[3];
	const char *name;
	bool exited, given_up;
	int status;
	struct patience patience;
};

static void window_size(uint16_t *rows, uint16_t *columns)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};

	ioctl(0, TIOCGWINSZ, &size);
	*rows = size.ws_row;
	*columns = size.ws_col;
}

/* Unless --env has it: of two with one name, some programs take the first, some the last. */
static void add_variable(char ***env, const char *key, const char *value)
{
	cleanup_free char *assignment = xasprintf("%s=%s", key, value);
	size_t n = strlen(key) + 1;

	for (size_t i = 0; *env && (*env)[i]; i++)
		if (strncmp((*env)[i], assignment, n) == 0)
			return;
	strv_add(env, assignment);
}

/* Names are the host's, as in a template; what the instance made of its /etc/passwd is not asked.
 */
static int find_user(const char *user, struct control_packet *packet, char ***env,
		     struct error *err)
{
	cleanup_account struct account account = {0};
	int r;

	if (!user)
		return 0;
	r = account_resolve(user, &account, err);
	if (r < 0)
		return r;
	packet->as_user = true;
	packet->uid = account.uid;
	packet->gid = account.gid;
	add_variable(env, "HOME", account.home);
	add_variable(env, "USER", account.name);
	add_variable(env, "LOGNAME", account.name);
	return 0;
}

/* Makes the pipes; theirs are sent with the request and closed. */
static int make_pipes(struct executing *e, int theirs[3], struct error *err)
{
	for (int i = 0; i < 3; i++) {
		int pair[2];

		if (pipe2(pair, O_CLOEXEC) < 0)
			return error_set(err, errno, "cannot make a pipe");
		theirs[i] = pair[i == 0 ? 0 : 1];
		e->inside[i] = pair[i == 0 ? 1 : 0];
	}
	return 0;
}

static int send_request(struct executing *e, const struct invocation *invocation, char **argv,
			bool terminal, int explainer, struct error *err)
{
	const char *term = getenv("TERM");
	struct control_packet packet = {.verb = CONTROL_EXEC,
					.argv = argv,
					.terminal = terminal,
					.explained = explainer >= 0};
	cleanup_strv char **env = strv_copy(invocation->options.env);
	int theirs[3] = {-1, -1, -1}, fds[4];
	size_t n = 0;
	int r = find_user(invocation->options.user, &packet, &env, err);

	if (r == 0 && !terminal)
		r = make_pipes(e, theirs, err);
	if (r < 0)
		return r;
	if (terminal && term)
		add_variable(&env, "TERM", term);
	packet.env = env;
	window_size(&packet.rows, &packet.columns);
	for (int i = 0; !terminal && i < 3; i++)
		fds[n++] = theirs[i];
	if (explainer >= 0)
		fds[n++] = explainer;
	r = control_send(e->keeper, &packet, fds, n);
	for (int i = 0; i < 3; i++)
		cleanup_close(&theirs[i]);
	if (r == -E2BIG)
		return error_say(err, ERROR_USAGE, "the command is too long");
	return r < 0 ? error_set(err, -r, "cannot reach the keeper") : 0;
}

/* A keeper that was lost says nothing, nor does one of an older stint. */
static int say_ended(const struct executing *e, const char *reason, struct error *err)
{
	if (reason && *reason)
		return error_say(err, ERROR_FAILED, "'%s' has ended: %s", e->name, reason);
	return error_say(err, ERROR_FAILED, "'%s' has ended; 'stint history %s' may know why",
			 e->name, e->name);
}

/* Whoever is told to end before the command has begun has nothing to pass that on to. */
static int take_early_signal(struct executing *e)
{
	struct signalfd_siginfo info;

	if (read(e->signals, &info, sizeof(info)) == (ssize_t)sizeof(info) &&
	    info.ssi_signo != SIGWINCH)
		e->status = 128 + (int)info.ssi_signo;
	return e->status;
}

static int wait_for_start(struct executing *e, struct error *err)
{
	cleanup_packet struct control_packet packet = {0};
	struct pollfd polled[] = {
		{.fd = e->keeper, .events = POLLIN},
		{.fd = e->signals, .events = POLLIN},
	};
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	int r;

	while (poll(polled, ARRAY_SIZE(polled), -1) < 0 || !polled[0].revents)
		if (polled[1].revents && take_early_signal(e))
			return error_set(err, EINTR, "the command was not waited for");
	r = control_receive(e->keeper, &packet, fds, &n_fds);
	if (r <= 0 || packet.verb == CONTROL_ENDED)
		return say_ended(e, r > 0 ? packet.text : NULL, err);
	if (packet.verb == CONTROL_FAILED) {
		*err = packet.error;
		return err->code;
	}
	e->master = n_fds > 0 ? fds[0] : -1;
	for (size_t i = 1; i < n_fds; i++)
		close(fds[i]);
	return 0;
}

static void set_raw(struct executing *e)
{
	struct termios raw;

	if (tcgetattr(0, &e->saved) < 0)
		return;
	raw = e->saved;
	cfmakeraw(&raw);
	tcsetattr(0, TCSADRAIN, &raw);
}

static void set_streams(struct executing *e)
{
	const int from[] = {0, e->master >= 0 ? e->master : e->inside[1], e->inside[2]};
	const int to[] = {e->master >= 0 ? e->master : e->inside[0], 1, 2};

	for (size_t i = 0; i < ARRAY_SIZE(e->streams); i++) {
		e->streams[i].from = from[i];
		e->streams[i].to = to[i];
	}
	fcntl(to[0], F_SETFL, O_NONBLOCK | fcntl(to[0], F_GETFL));
	if (e->master >= 0)
		set_raw(e);
}

/* Our end of the pipe goes: the command inside sees the end of its input, or of its reader. */
static void end_stream(struct executing *e, size_t i)
{
	e->streams[i].from = e->streams[i].to = -1;
	if (e->master < 0)
		cleanup_close(&e->inside[i]);
}

static bool has_pending(const struct stream *stream)
{
	return stream->begin < stream->end;
}

static void fill(struct executing *e, size_t i)
{
	struct stream *stream = &e->streams[i];
	ssize_t n = read(stream->from, stream->buffer, sizeof(stream->buffer));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	/* a terminal whose last process has gone answers EIO */
	if (n <= 0) {
		end_stream(e, i);
		return;
	}
	stream->begin = 0;
	stream->end = (size_t)n;
}

static void flush(struct executing *e, size_t i)
{
	struct stream *stream = &e->streams[i];
	ssize_t n = write(stream->to, stream->buffer + stream->begin, stream->end - stream->begin);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		end_stream(e, i);
	else
		stream->begin += (size_t)n;
}

static struct pollfd wanted_of(const struct stream *stream)
{
	if (stream->from < 0)
		return (struct pollfd){.fd = -1};
	if (has_pending(stream))
		return (struct pollfd){.fd = stream->to, .events = POLLOUT};
	return (struct pollfd){.fd = stream->from, .events = POLLIN};
}

static void move(struct executing *e, size_t i)
{
	if (has_pending(&e->streams[i]))
		flush(e, i);
	else
		fill(e, i);
}

static void take_signal(struct executing *e)
{
	struct signalfd_siginfo info;
	struct control_packet packet = {.verb = CONTROL_EXEC_SIGNAL};
	struct winsize size = {0};

	if (read(e->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH) {
		if (e->master >= 0 && ioctl(0, TIOCGWINSZ, &size) == 0)
			ioctl(e->master, TIOCSWINSZ, &size);
		return;
	}
	packet.number = info.ssi_signo;
	(void)control_send(e->keeper, &packet, NULL, 0);
	patience_take(&e->patience, (int)info.ssi_signo);
}

/* The keeper kills what nobody waits for any more. */
static void give_up(struct executing *e)
{
	if (e->patience.asked == SIGTERM)
		fprintf(stderr, "stint: the command has not ended, and is killed\n");
	e->status = 128 + e->patience.asked;
	e->given_up = true;
}

static void take_packet(struct executing *e)
{
	cleanup_packet struct control_packet packet = {0};
	int r = control_receive_words(e->keeper, &packet);
	struct error err;

	if (r <= 0 || packet.verb == CONTROL_ENDED) {
		say_ended(e, r > 0 ? packet.text : NULL, &err);
		report(&err);
		e->status = EXIT_OWN_FAILURE;
		e->exited = true;
	} else if (packet.verb == CONTROL_EXEC_EXITED) {
		int status = (int)packet.number;

		e->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		e->exited = true;
	}
}

/* What was written before the command's end is shown; what a background child holds is not. */
static void drain_output(struct executing *e)
{
	for (size_t i = 1; i < ARRAY_SIZE(e->streams); i++)
		for (;;) {
			struct pollfd polled = wanted_of(&e->streams[i]);
			int wait_ms = has_pending(&e->streams[i]) ? -1 : 0;

			if (polled.fd < 0 || poll(&polled, 1, wait_ms) <= 0)
				break;
			move(e, i);
		}
}

static void copy_until_exit(struct executing *e)
{
	while (!e->exited && !e->given_up) {
		struct pollfd polled[] = {
			wanted_of(&e->streams[0]),
			wanted_of(&e->streams[1]),
			wanted_of(&e->streams[2]),
			{.fd = e->keeper, .events = POLLIN},
			{.fd = e->signals, .events = POLLIN},
		};

		if (poll(polled, ARRAY_SIZE(polled), patience_wait_ms(&e->patience)) < 0)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(e->streams); i++)
			if (polled[i].revents)
				move(e, i);
		if (polled[4].revents)
			take_signal(e);
		if (polled[3].revents)
			take_packet(e);
		if (!e->exited && patience_is_over(&e->patience))
			give_up(e);
	}
	if (e->exited)
		drain_output(e);
}

static int exit_of_failure(const struct error *err)
{
	report(err);
	if (err->code == -ENOENT && err->kind == ERROR_FAILED)
		return EXIT_NOT_FOUND;
	if (err->code == -EACCES)
		return EXIT_NOT_EXECUTABLE;
	return EXIT_OWN_FAILURE;
}

/* Without ids of the instance's own, a user inside is one of the host. */
static int check_user(const struct invocation *invocation, const struct record *record,
		      struct error *err)
{
	if (!invocation->options.user || !invocation->caller->restricted || record->id_base)
		return 0;
	return error_say(err, ERROR_REFUSED,
			 "--user is not for members of the group stint in an instance that has no "
			 "user namespace: its users are those of the host");
}

int execute_inside(const struct invocation *invocation, const char *name, char **argv,
		   int explainer)
{
	bool terminal = isatty(0) && isatty(1);
	cleanup_record struct record *record = NULL;
	struct executing e = {.name = name, .keeper = -1, .master = -1, .inside = {-1, -1, -1}};
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int r = open_running(invocation->caller, name, &site, &record, &err);

	e.signals = process_take_signals(SIGWINCH);
	if (r == 0)
		r = check_user(invocation, record, &err);
	if (r == 0)
		r = e.keeper = instance_connect(&site, record->grant.id, &err);
	site_close(&site);
	if (r < 0) {
		report(&err);
		return EXIT_OWN_FAILURE;
	}
	if (send_request(&e, invocation, argv, terminal, explainer, &err) < 0 ||
	    wait_for_start(&e, &err) < 0) {
		e.status = e.status ? e.status : exit_of_failure(&err);
	} else {
		set_streams(&e);
		copy_until_exit(&e);
		if (e.master >= 0)
			tcsetattr(0, TCSADRAIN, &e.saved);
	}
	for (int i = 0; i < 3; i++)
		cleanup_close(&e.inside[i]);
	cleanup_close(&e.master);
	cleanup_close(&e.keeper);
	cleanup_close(&e.signals);
	return e.status;
}

static int run_exec(const struct invocation *invocation)
{
	if (!invocation->rest || !invocation->rest[0]) {
		fprintf(stderr, "stint: usage: stint exec NAME -- COMMAND...\n");
		return EXIT_OWN_FAILURE;
	}
	return execute_inside(invocation, invocation->args[0], invocation->rest, -1);
}

const struct command exec_command = {
	.name = "exec",
	.usage = "NAME [OPTION...] -- COMMAND...",
	.options = "user env",
	.summary = "run a command inside an instance",
	.description =
		"Runs COMMAND inside, as the server's user and contained as the server is, and "
		"exits with its status: 127 when it does not exist inside, 126 when it cannot be "
		"executed, 125 when stint itself failed. When standard input and output are "
		"terminals the command gets a terminal of the instance's own. Signals are passed "
		"on to the command. A second SIGTERM or SIGINT kills it, and so does the first "
		"SIGTERM when it has not ended 5 s later; the status is then 128 and the signal's "
		"number.",
	.min_args = 1,
	.max_args = 1,
	.takes_rest = true,
	.usage_exit = EXIT_OWN_FAILURE,
	.run = run_exec,
};
