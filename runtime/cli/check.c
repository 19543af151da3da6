/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stint check: the template's own proof that its server works, a command that is run inside. In a
 * child, so that this process can end it when its time is over.
 */
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/exec.h"
#include "cli/output.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX (64 << 10)

struct checking {
	const struct invocation *invocation;
	const char *name; /* of the instance */
	const struct plan_check_command *check;
	int cancel; /* readable once it is to stop; -1: never */
	int64_t begun_ns;
	int status; /* the command's, or as in check.h */
	struct text output;
};

static int find_check(const struct record *record, struct plan **ret_plan, struct error *err)
{
	int r = plan_of_record(record, ret_plan, err);

	if (r < 0 || (*ret_plan)->check.command)
		return r;
	return error_say(err, ERROR_REFUSED,
			 "the template '%s' has no check; write the command that proves that its "
			 "server works under its key 'check'",
			 record->template_name);
}

/* What it prints is shown, or kept for --json. */
static pid_t start(const struct checking *checking, int output)
{
	pid_t pid = fork();
	int null;

	if (pid != 0)
		return pid;
	/* whoever ends this command ends the check, too */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, 0);
	if (output >= 0) {
		dup2(output, 1);
		dup2(output, 2);
	}
	_exit(execute_inside(checking->invocation, checking->name, checking->check->command, -1));
}

static void take_output(struct checking *checking, int *fd)
{
	char bytes[4096];
	ssize_t n = read(*fd, bytes, sizeof(bytes));

	if (n <= 0 && (n == 0 || errno != EINTR))
		cleanup_close(fd);
	else if (n > 0 && checking->output.length + (size_t)n <= OUTPUT_MAX)
		text_add_bytes(&checking->output, bytes, (size_t)n);
}

/* Its end, or that of its time; the keeper kills what is inside when its connection ends. */
static void wait_for(struct checking *checking, pid_t pid, int *output)
{
	cleanup_fd int pidfd = process_pidfd_open(pid);
	struct pollfd polled[] = {{.fd = pidfd, .events = POLLIN},
				  {.events = POLLIN},
				  {.fd = checking->cancel, .events = POLLIN}};
	bool over = false;
	int status = 0;

	while (!over && !polled[0].revents && !polled[2].revents) {
		int64_t left =
			checking->begun_ns + checking->check->timeout_ns - clock_boottime_ns();

		over = left <= 0;
		polled[1].fd = *output;
		if (!over)
			poll(polled, ARRAY_SIZE(polled), (int)(left / NSEC_PER_MSEC) + 1);
		if (!over && *output >= 0 && polled[1].revents)
			take_output(checking, output);
	}
	if (over || polled[2].revents)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	checking->status = over		       ? CHECK_TIMED_OUT
			   : polled[2].revents ? CHECK_CANCELLED
			   : WIFEXITED(status) ? WEXITSTATUS(status)
					       : EXIT_OWN_FAILURE;
	while (!over && *output >= 0)
		take_output(checking, output);
}

/* Bytes that are no text are shown as on a terminal. */
static void show_lines(const struct text *output, struct text *ret_shown)
{
	for (size_t done = 0; done < output->length;) {
		const char *line = output->data + done;
		size_t length = strcspn(line, "\n");

		text_add_visible(ret_shown, line, length);
		text_add(ret_shown, "\n");
		done += length + 1;
	}
}

static void print_json(const struct checking *checking, int64_t took_ns)
{
	cleanup_text struct text shown = {0};

	show_lines(&checking->output, &shown);
	json_print(json_pack("{s:s, s:b, s:i, s:f, s:s}", "name", checking->name, "passed",
			     checking->status == 0, "status", checking->status, "seconds",
			     (double)took_ns / NSEC_PER_SEC, "output",
			     shown.data ? shown.data : ""));
}

static int print(const struct checking *checking)
{
	const char *name = checking->name;
	int64_t took_ns = clock_boottime_ns() - checking->begun_ns;
	char took[32], bound[32];

	if (checking->invocation->options.json)
		print_json(checking, took_ns);
	format_duration(took_ns, took, sizeof(took));
	format_duration(checking->check->timeout_ns, bound, sizeof(bound));
	if (!checking->invocation->options.json && checking->status == 0)
		printf("%s works, says its check after %s\n", name, took);
	else if (checking->status == CHECK_TIMED_OUT)
		fprintf(stderr, "stint: the check of '%s' did not end within %s\n", name, bound);
	else if (checking->status != 0)
		fprintf(stderr, "stint: the check of '%s' failed with status %d\n", name,
			checking->status);
	return checking->status == 0 ? 0 : ERROR_FAILED;
}

static int check(const struct invocation *invocation, const struct plan_check_command *command)
{
	struct checking checking = {.invocation = invocation,
				    .name = invocation->args[0],
				    .check = command,
				    .cancel = -1,
				    .begun_ns = clock_boottime_ns()};
	int pair[2] = {-1, -1}, status;
	struct error err;
	pid_t pid;

	fflush(stdout);
	if (invocation->options.json && pipe2(pair, O_CLOEXEC) < 0) {
		error_set(&err, errno, "cannot make a pipe");
		return report(&err);
	}
	pid = start(&checking, pair[1]);
	cleanup_close(&pair[1]);
	if (pid < 0) {
		error_set(&err, errno, "cannot fork");
		return report(&err);
	}
	wait_for(&checking, pid, &pair[0]);
	cleanup_close(&pair[0]);
	status = print(&checking);
	text_deinit(&checking.output);
	return status;
}

int check_run(const struct invocation *invocation, const char *name,
	      const struct plan_check_command *check, int cancel, struct error *err)
{
	struct checking checking = {.invocation = invocation,
				    .name = name,
				    .check = check,
				    .cancel = cancel,
				    .begun_ns = clock_boottime_ns()};
	int no_pipe = -1;
	pid_t pid;

	fflush(stdout);
	pid = start(&checking, 2);
	if (pid < 0)
		return error_set(err, errno, "cannot fork");
	wait_for(&checking, pid, &no_pipe);
	return checking.status;
}

static int run_check(const struct invocation *invocation)
{
	cleanup_record struct record *record = NULL;
	cleanup_plan struct plan *plan = NULL;
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int status;

	if (open_running(invocation->caller, invocation->args[0], &site, &record, &err) < 0 ||
	    find_check(record, &plan, &err) < 0)
		status = report(&err);
	else
		status = check(invocation, &plan->check);
	site_close(&site);
	return status;
}

const struct command check_command = {
	.name = "check",
	.usage = "NAME [OPTION...]",
	.options = "json",
	.summary = "run the command that proves that an instance's server works",
	.description = "Runs the command that the template has under 'check' inside, as the "
		       "server's user, and shows what it says. Fails when that fails or takes "
		       "longer than the template allows.",
	.min_args = 1,
	.max_args = 1,
	.run = run_check,
};
