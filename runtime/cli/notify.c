/* SPDX-License-Identifier: Apache-2.0 */
/* stint notify: runs the hook of an instance's warnings; what its keeper starts, and waits not for.
 */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#define HOOK_BOUND_MS 30000

static void run_child(const struct record *record, const char *seconds, char **hook)
{
	cleanup_free char *user = xasprintf("%u", record->grant.owner_uid);
	cleanup_account struct account owner = {0};
	struct error err;

	setpgid(0, 0);
	clearenv();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("STINT_NAME", record->grant.name, 1);
	setenv("STINT_ID", record->grant.id, 1);
	setenv("STINT_SECONDS_LEFT", seconds, 1);
	if (account_resolve(user, &owner, &err) < 0 || account_become(&owner) < 0)
		_exit(EXIT_OWN_FAILURE);
	execv(hook[0], hook);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Its whole group, when it takes too long. */
static void wait_for_hook(pid_t child, const char *name, const char *program)
{
	cleanup_fd int pidfd = process_pidfd_open(child);
	struct pollfd polled = {.fd = pidfd, .events = POLLIN};
	int status = 0;

	if (poll(&polled, 1, HOOK_BOUND_MS) == 0) {
		kill(-child, SIGKILL);
		syslog(LOG_WARNING, "%s: hook '%s' took too long and was killed", name, program);
	}
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		syslog(LOG_WARNING, "%s: hook '%s' exited with status %d", name, program,
		       WEXITSTATUS(status));
}

static int run_hook(const struct record *record, const char *seconds, char **hook,
		    struct error *err)
{
	pid_t child = fork();

	if (child < 0)
		return error_set(err, errno, "cannot fork");
	if (child == 0)
		run_child(record, seconds, hook);
	wait_for_hook(child, record->grant.name, hook[0]);
	return 0;
}

static int run_notify(const struct invocation *invocation)
{
	cleanup_record struct record *record = NULL;
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int status = 0;

	if (!invocation->rest || !invocation->rest[0]) {
		error_say(&err, ERROR_USAGE, "no hook was named");
		return report(&err);
	}
	if (place_open_anyway(&site, &err) < 0 ||
	    instance_load(&site, invocation->args[0], &record, &err) < 0 ||
	    run_hook(record, invocation->args[1], invocation->rest, &err) < 0)
		status = report(&err);
	site_close(&site);
	return status;
}

const struct command notify_command = {
	.name = "notify",
	.usage = "ID SECONDS -- HOOK...",
	.summary = "run the hook of a warning; what a keeper does before the end",
	.min_args = 2,
	.max_args = 2,
	.takes_rest = true,
	.hidden = true,
	.run = run_notify,
};
