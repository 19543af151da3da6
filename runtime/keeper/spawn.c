/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a program inside; see spawn.h. */
#include "keeper/spawn.h"
#include "keeper/rlimits.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "base/text.h"
#include "base/weaken.h"
#include "cgroup/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *value_in(char *const *env, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; env && env[i]; i++)
		if (strncmp(env[i], key, n) == 0 && env[i][n] == '=')
			return env[i] + n + 1;
	return NULL;
}

static int set_stdio(const struct spawn *spawn, struct error *err)
{
	for (int i = 0; i < 3; i++) {
		int fd = spawn->stdio[i];

		if (fd < 0)
			fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0 || dup2(fd, i) < 0)
			return error_set(err, errno, "cannot set up standard stream %d", i);
	}
	if (spawn->terminal && ioctl(0, TIOCSCTTY, 0) < 0)
		return error_set(err, errno, "cannot take the terminal");
	return 0;
}

/* A file that is there although execve(2) did not find it has an interpreter that is not. */
static int try_execute(const struct spawn *spawn, const char *path)
{
	execve(path, spawn->argv, spawn->env);
	if (errno == ENOENT && access(path, F_OK) == 0)
		return ELIBBAD;
	return errno;
}

/* What remains to be said is the best of the errors met on the way through PATH. */
static int search_path(const struct spawn *spawn)
{
	const char *name = spawn->argv[0];
	const char *path = value_in(spawn->env, "PATH");
	int best = ENOENT;

	if (strchr(name, '/'))
		return try_execute(spawn, name);
	for (path = path ? path : DEFAULT_PATH; *path; path += *path == ':') {
		size_t n = strcspn(path, ":");
		cleanup_free char *full =
			xasprintf("%.*s/%s", n ? (int)n : 1, n ? path : ".", name);
		int r = try_execute(spawn, full);

		if (r != ENOENT && r != ENOTDIR)
			best = r;
		path += n;
	}
	return best;
}

static int explain_exec(const struct spawn *spawn, int errnum, struct error *err)
{
	const char *name = spawn->argv[0];

	if (errnum != ENOENT && errnum != ELIBBAD)
		return error_set(err, errnum, "cannot execute '%s' inside", name);
	error_say(err, ERROR_FAILED,
		  errnum == ENOENT ? "command '%s' does not exist inside"
				   : "command '%s' exists inside, but its interpreter does not",
		  name);
	err->code = -ENOENT;
	return err->code;
}

/*
 * Keyrings belong to no namespace: with ours, what runs inside would share keys with its keeper.
 * Where this call is refused, by a filter around stint, so is every other use of keys.
 */
static int leave_keyring(struct error *err)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 &&
	    errno != ENOSYS && errno != EPERM)
		return error_set(err, errno, "cannot make a session keyring");
	return 0;
}

/* Instead of executing anything; what is there already is written to, if it is a file. */
static int write_file(const struct spawn *spawn, struct error *err)
{
	const char *content = spawn->argv[0];
	cleanup_fd int fd =
		open(spawn->file, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, content, strlen(content)) < 0)
		return error_set(err, errno, "cannot write '%s' inside", spawn->file);
	_exit(0);
}

static int become(const struct spawn *spawn, struct error *err)
{
	const char *directory = spawn->directory ? spawn->directory : "/";
	int r;

	setsid();
	r = cgroup_join(spawn->cgroups, spawn->n_cgroups, err);
	if (r == 0)
		r = set_stdio(spawn, err);
	if (r < 0)
		return r;
	if (!weakened("fds"))
		process_cloexec_from(3);
	process_reset_signals();
	rlimits_set(spawn->files_limit);
	umask(022);
	r = weakened("keyring") ? 0 : leave_keyring(err);
	if (r == 0)
		r = confine_apply(&spawn->confinement, err);
	if (r < 0)
		return r;
	if (spawn->file)
		return write_file(spawn, err);
	if (chdir(directory) < 0)
		return error_set(err, errno, "cannot enter directory '%s' inside", directory);
	return explain_exec(spawn, search_path(spawn), err);
}

void spawn_fail(const struct error *told, int report)
{
	(void)!write(report, told, sizeof(*told));
	_exit(127);
}

void spawn_become(const struct spawn *spawn, int report)
{
	struct error told = {0};

	become(spawn, &told);
	spawn_fail(&told, report);
}

int spawn_learn(struct spawned *spawned, const char *name, struct error *err)
{
	struct error told;
	ssize_t n;

	do
		n = read(spawned->report, &told, sizeof(told));
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 1;
	cleanup_close(&spawned->report);
	if (n == 0)
		return 0;
	if (n == (ssize_t)sizeof(told)) {
		if (err)
			*err = told;
		return told.code;
	}
	/* one that said nothing may have been started after all */
	kill(spawned->pid, SIGKILL);
	return error_set(err, EIO, "cannot learn how '%s' was started", name);
}

int spawn_give_up(struct spawned *spawned, const char *name, int bound_s, struct error *err)
{
	kill(spawned->pid, SIGKILL);
	cleanup_close(&spawned->report);
	error_say(
		err, ERROR_FAILED,
		"command '%s' did not get to its start within %d s: something inside stops it, or "
		"takes all of the instance's processor time",
		name, bound_s);
	return error_with_code(err, -ETIMEDOUT);
}

int spawn_begin(const struct spawn *spawn, struct spawned *ret_spawned, struct error *err)
{
	int report[2];
	pid_t pid;

	/* what is told always fits, and nobody waits for who does not tell */
	if (pipe2(report, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_set(err, errno, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		spawn_become(spawn, report[1]);
	close(report[1]);
	if (pid < 0) {
		int errnum = errno;

		close(report[0]);
		return error_set(err, errnum, "cannot fork");
	}
	*ret_spawned = (struct spawned){.pid = pid, .report = report[0]};
	return 0;
}
