/* SPDX-License-Identifier: Apache-2.0 */
/* Another program, run to its end; see run.h. */
#include "base/run.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

static int start(char *const *argv, char *const *env, int directory, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int r;

	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	if (directory >= 0)
		posix_spawn_file_actions_addfchdir_np(&actions, directory);
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	r = posix_spawnp(ret_pid, argv[0], &actions, &attributes, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -r;
}

/* True when it was told to stop before the program ended. */
static bool wait_or_cancel(pid_t pid, int cancel)
{
	cleanup_fd int pidfd = process_pidfd_open(pid);
	struct pollfd polled[] = {{.fd = pidfd, .events = POLLIN},
				  {.fd = cancel, .events = POLLIN}};

	if (pidfd < 0)
		return false;
	while (poll(polled, ARRAY_SIZE(polled), -1) < 0 && errno == EINTR)
		;
	return !polled[0].revents && polled[1].revents;
}

int run_quietly(char *const *argv, char *const *env, int directory, int cancel)
{
	cleanup_strv char **all = strv_copy(env);
	int status = -1, r;
	bool cancelled;
	pid_t pid;

	strv_add(&all, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	strv_add(&all, "LC_ALL=C");
	r = start(argv, all, directory, &pid);
	if (r < 0)
		return r;
	cancelled = wait_or_cancel(pid, cancel);
	if (cancelled)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (cancelled)
		return -ECANCELED;
	return status == 0 ? 0 : -EIO;
}
