/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command inside whose denied system calls are told: it runs with the instance's filter, which
 * reports what it denies to a child of this process. The child answers as the filter would, and
 * prints at the end what it has counted.
 */
#include "cli/exec.h"
#include "cli/output.h"
#include "base/cleanup.h"
#include "instance/explain.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void print_text(const struct denied_calls *calls)
{
	if (calls->n == 0) {
		fprintf(stderr, "stint: no system call was denied\n");
		return;
	}
	fprintf(stderr, "stint: denied system calls:\n");
	for (size_t i = 0; i < calls->n; i++) {
		const struct denied_call *call = &calls->list[i];

		fprintf(stderr, "%7lux %-7s %s\n%13s%s\n", call->count,
			strerrorname_np(call->errnum), call->what, "", call->why);
	}
	if (calls->others)
		fprintf(stderr, "%7lux of other kinds\n", calls->others);
}

static void print_json(const struct denied_calls *calls)
{
	json_t *list = json_array();

	for (size_t i = 0; i < calls->n; i++) {
		const struct denied_call *call = &calls->list[i];

		json_push(list, json_pack("{s:o, s:s, s:I, s:s}", "call", json_text(call->what),
					  "error", strerrorname_np(call->errnum), "count",
					  (json_int_t)call->count, "why", call->why));
	}
	json_print(json_pack("{s:o, s:I}", "denied", list, "others", (json_int_t)calls->others));
	fflush(stdout);
}

/*
 * It lives until the command has ended, whatever the terminal signals meanwhile, and holds nothing
 * that others wait for the end of.
 */
static int explain(int socket, bool json)
{
	struct pollfd end = {.fd = 3};
	struct denied_calls calls;
	struct error err;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (socket != 3 && dup2(socket, 3) < 0)
		return EXIT_OWN_FAILURE;
	syscall(SYS_close_range, 4U, ~0U, 0U);
	if (explain_calls(3, &calls, &err) < 0)
		return report(&err);
	/* what the command wrote comes first */
	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		;
	if (calls.heard && json)
		print_json(&calls);
	else if (calls.heard)
		print_text(&calls);
	denied_calls_deinit(&calls);
	return 0;
}

static int execute_beside(const struct invocation *invocation, const char *name, char **argv,
			  const int pair[2])
{
	bool json = invocation->options.json;
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "stint: cannot fork: %s\n", strerror(errno));
		close(pair[0]);
		close(pair[1]);
		return EXIT_OWN_FAILURE;
	}
	if (pid == 0)
		_exit(explain(pair[0], json));
	close(pair[0]);
	if (json)
		dup2(2, 1);
	status = execute_inside(invocation, name, argv, pair[1]);
	/* the child sees the end of the socket, and says what it knows */
	close(pair[1]);
	waitpid(pid, NULL, 0);
	return status;
}

int execute_observed(const struct invocation *invocation, const char *name, char **argv)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		fprintf(stderr, "stint: cannot make a socket pair: %s\n", strerror(errno));
		return EXIT_OWN_FAILURE;
	}
	return execute_beside(invocation, name, argv, pair);
}
