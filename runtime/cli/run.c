/* SPDX-License-Identifier: Apache-2.0 */
/* stint run: an instance for the length of one command. */
#include "cli/commands.h"
#include "cli/exec.h"
#include "cli/output.h"
#include "cli/session.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "instance/log.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define KILLED_BY(signal) (128 + (signal))

static int exit_code_of(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : KILLED_BY(WTERMSIG(wait_status));
}

/* STINT_PORT_<NAME>: upper case, '-' as '_', so that a shell can read it. */
static void set_port_variable(const struct published_port *port)
{
	cleanup_free char *key = xasprintf("STINT_PORT_%s", port->name);
	cleanup_free char *value = xasprintf("%u", port->host_port);

	for (char *c = key; *c; c++)
		*c = (char)(*c == '-' ? '_' : toupper((unsigned char)*c));
	setenv(key, value, 1);
}

static void set_environment(const struct grant *grant)
{
	setenv("STINT_NAME", grant->name, 1);
	for (size_t i = 0; i < grant->n_ports; i++) {
		const struct published_port *port = &grant->ports[i];
		cleanup_free char *url = port_url(port);

		set_port_variable(port);
		/* the first port is the one that is meant when none is named */
		if (i == 0 || strcmp(port->name, "http") == 0) {
			setenv("STINT_URL", url, 1);
			setenv("STINT_HOST", port->host_address, 1);
		}
	}
}

static void run_child(const struct session *session, char **command, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	set_environment(&session->instance.record->grant);
	/* the command is the caller's own business: it gets the caller's ids, not root's */
	if (account_become(&session->owner) < 0) {
		report_note("cannot become user '%s': %s", session->owner.name, strerror(errno));
		_exit(EXIT_OWN_FAILURE);
	}
	caller_restore(session->invocation->caller);
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	/* a parent that was killed before that sends nothing any more */
	if (getppid() != parent)
		_exit(EXIT_OWN_FAILURE);
	execvp(command[0], command);
	report_note("cannot execute '%s': %s", command[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Waits for the command; signals are passed on, and the instance's end is said. */
static int wait_for_command(struct session *session, pid_t child)
{
	cleanup_fd int pidfd = process_pidfd_open(child);
	int wait_status = 0;

	while (waitpid(child, &wait_status, WNOHANG) == 0) {
		struct pollfd polled[] = {
			{.fd = pidfd, .events = POLLIN},
			{.fd = session->signals, .events = POLLIN},
			{.fd = session->over ? -1 : session->instance.tie, .events = POLLIN},
		};
		struct signalfd_siginfo info;

		if (poll(polled, ARRAY_SIZE(polled), -1) < 0 && errno != EINTR)
			break;
		/* a terminal has sent its signal to the command already; twice does no harm */
		if (polled[1].revents &&
		    read(session->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
			session->interrupted = (int)info.ssi_signo;
			kill(child, session->interrupted);
		}
		if (polled[2].revents && !session_take_packet(session))
			report_note("'%s' has ended: %s", session->instance.record->grant.name,
				    session->reason);
	}
	return exit_code_of(wait_status);
}

static int run_command_outside(struct session *session, char **command)
{
	pid_t parent = getpid();
	pid_t child = fork();

	if (child < 0) {
		report_note("cannot fork: %s", strerror(errno));
		return EXIT_OWN_FAILURE;
	}
	if (child == 0)
		run_child(session, command, parent);
	return wait_for_command(session, child);
}

static void print_record(const struct log_record *record, void *data)
{
	FILE *to = record->is_error ? stderr : stdout;

	(void)data;
	fwrite(record->text, 1, record->length, to);
	if (!record->more)
		fputc('\n', to);
}

static void print_log(struct log_reader *log)
{
	log_read(log, print_record, NULL);
	fflush(stdout);
}

/* Without a command the server is what runs: its output is ours, and so is its exit status. */
static int wait_for_server(struct session *session, struct log_reader *log)
{
	bool stopped = false;

	while (!session->over) {
		struct pollfd polled[] = {
			{.fd = session->instance.tie, .events = POLLIN},
			{.fd = session->signals, .events = POLLIN},
		};
		struct signalfd_siginfo info;
		struct control_packet stop = {
			.verb = stopped ? CONTROL_KILL : CONTROL_STOP,
			.finish = true,
			.text = (char *)"interrupted",
		};

		poll(polled, ARRAY_SIZE(polled), 100);
		print_log(log);
		if (polled[1].revents &&
		    read(session->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
			session->interrupted = (int)info.ssi_signo;
			(void)control_send(session->instance.tie, &stop, NULL, 0);
			stopped = true;
		}
		if (polled[0].revents)
			session_take_packet(session);
	}
	print_log(log);
	if (session->interrupted)
		return KILLED_BY(session->interrupted);
	if (session->exit_signal) {
		report_note("'%s' has ended: %s", session->instance.record->grant.name,
			    session->reason);
		return KILLED_BY(session->exit_signal);
	}
	if (session->exit_status >= 0)
		return session->exit_status;
	report_note("'%s' has ended: %s", session->instance.record->grant.name,
		    session->failure.code ? session->failure.text : session->reason);
	return EXIT_OWN_FAILURE;
}

static int run_server(struct session *session)
{
	struct log_reader log;
	int status;

	if (log_open(&session->site, session->instance.record->grant.id, &log) < 0)
		return EXIT_OWN_FAILURE;
	status = wait_for_server(session, &log);
	log_close(&log);
	return status;
}

static void print_ports(const struct grant *grant)
{
	for (size_t i = 0; i < grant->n_ports; i++) {
		cleanup_free char *url = port_url(&grant->ports[i]);

		report_note("%s is %s", grant->ports[i].name, url);
	}
}

/* What ends with its instance is killed: that is the server's status then, observed or not. */
static int status_of_end(struct session *session)
{
	struct pollfd polled = {.fd = session->instance.tie, .events = POLLIN};

	/* it was told before the command was */
	while (!session->over && poll(&polled, 1, 0) > 0)
		session_take_packet(session);
	return session->over ? KILLED_BY(SIGKILL) : EXIT_OWN_FAILURE;
}

/* The server is a command inside an instance that does nothing else: only so it can be watched. */
static int run_observed(const struct invocation *invocation)
{
	cleanup_strv char **command = NULL;
	struct session session;
	struct error err = {0};
	int status = EXIT_OWN_FAILURE;

	if (session_start_idle(invocation, &session, &command, &err) < 0 ||
	    session_wait_started(&session, &err) < 0) {
		report(&err);
		session_deinit(&session);
		return session.interrupted ? KILLED_BY(session.interrupted) : status;
	}
	print_ports(&session.instance.record->grant);
	status = execute_observed(invocation, session.instance.record->grant.name, command);
	if (status == EXIT_OWN_FAILURE)
		status = status_of_end(&session);
	if (session_end(&session, "its server has ended", false, &err) < 0) {
		report(&err);
		status = EXIT_OWN_FAILURE;
	}
	session_deinit(&session);
	return status;
}

static int run_started(struct session *session)
{
	char **command = session->invocation->rest;
	struct error err = {0};
	int status;

	if (command && session_wait_ready(session, &err) < 0) {
		report(&err);
		return session->interrupted ? KILLED_BY(session->interrupted) : EXIT_OWN_FAILURE;
	}
	status = command ? run_command_outside(session, command) : run_server(session);
	if (session_end(session, "its command has ended", true, &err) < 0) {
		report(&err);
		return EXIT_OWN_FAILURE;
	}
	return status;
}

static int run_run(const struct invocation *invocation)
{
	struct session session;
	struct error err = {0};
	int status = EXIT_OWN_FAILURE;

	if (invocation->rest && !invocation->rest[0]) {
		fprintf(stderr, "stint: nothing stands behind '--'\n");
		return EXIT_OWN_FAILURE;
	}
	if (invocation->options.seccomp && invocation->rest) {
		fprintf(stderr, "stint: --seccomp watches the server, beside which no command "
				"runs\n");
		return EXIT_OWN_FAILURE;
	}
	if (invocation->options.seccomp)
		return run_observed(invocation);
	if (session_start(invocation, &session, &err) < 0) {
		report(&err);
		if (session.interrupted)
			status = KILLED_BY(session.interrupted);
	} else
		status = run_started(&session);
	session_deinit(&session);
	return status;
}

const struct command run_command = {
	.name = "run",
	.usage = "TEMPLATE [OPTION...] [-- COMMAND...]",
	.options = "name ttl until keep-failed publish set env secret with with-layer no-hold "
		   "queue queue-for "
		   "recreate "
		   "memory swap cpus disk pids files io-read io-write "
		   "log-size best-effort zone seccomp",
	.summary = "run a command beside an instance that ends with it",
	.description =
		"Starts an instance, waits until it is ready, runs COMMAND on the host with "
		"STINT_NAME, STINT_URL, STINT_HOST and STINT_PORT_<NAME> in its environment, takes "
		"the instance down whatever happens, and exits with COMMAND's status. Without "
		"COMMAND it shows the server's own output and exits with the server's status. "
		"125 means that stint itself failed. With --seccomp it starts the server whether "
		"it gets ready or not, until it ends or this command is interrupted, and then says "
		"which system calls the server was denied, how often, with which error, and why.",
	.min_args = 1,
	.max_args = 1,
	.takes_rest = true,
	.usage_exit = EXIT_OWN_FAILURE,
	.run = run_run,
};
