/* SPDX-License-Identifier: Apache-2.0 */
/* A function in a child; see apart.h. In commands. */
#include "base/apart.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct outcome {
	int r;
	struct error error;
};

static void run_child(int (*body)(void *data, struct error *err), void *data, pid_t parent, int to)
{
	struct outcome outcome = {0};

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	outcome.r = body(data, &outcome.error);
	_exit(file_write_all(to, &outcome, sizeof(outcome)) < 0);
}

/* -ECANCELED when it was told to stop before there was an outcome. */
static int wait_for(int from, int cancel)
{
	struct pollfd polled[] = {{.fd = from, .events = POLLIN}, {.fd = cancel, .events = POLLIN}};

	while (poll(polled, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return polled[0].revents ? 0 : -ECANCELED;
}

/* It is written at once: PIPE_BUF is more than that. */
static bool take(int from, struct outcome *outcome)
{
	ssize_t n;

	do
		n = read(from, outcome, sizeof(*outcome));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*outcome);
}

int apart_run(int (*body)(void *data, struct error *err), void *data, int cancel, struct error *err)
{
	cleanup_fd int from = -1, to = -1;
	struct outcome outcome = {0};
	pid_t self = getpid(), pid;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, errno, "cannot make a pipe");
	from = ends[0];
	to = ends[1];
	pid = fork();
	if (pid < 0)
		return error_set(err, errno, "cannot fork");
	if (pid == 0)
		run_child(body, data, self, to);
	cleanup_close(&to);
	r = wait_for(from, cancel);
	if (r == 0 && !take(from, &outcome))
		r = -ECHILD;
	if (r < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (r == -ECANCELED) {
		error_say(err, ERROR_FAILED, "interrupted");
		return error_with_code(err, r);
	}
	if (r < 0)
		return error_say(err, ERROR_FAILED, "a helper process of this command died");
	if (outcome.r < 0 && err)
		*err = outcome.error;
	return outcome.r;
}
