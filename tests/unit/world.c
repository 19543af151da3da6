/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary directories and children for unit tests; see world.h. */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

int world_setup(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	world->n_fds = count_fds();
	strcpy(world->path, "/tmp/stint-unit-XXXXXX");
	if (!mkdtemp(world->path) || chmod(world->path, 0755) < 0)
		return -1;
	world->dir = file_open_directory(AT_FDCWD, world->path);
	*state = world;
	return world->dir < 0;
}

int world_teardown(void **state)
{
	struct world *world = *state;
	int r = file_remove_tree(AT_FDCWD, world->path);

	close(world->dir);
	if (r < 0)
		print_error("cannot remove '%s': %s\n", world->path, strerror(-r));
	if (count_fds() != world->n_fds) {
		print_error("%d descriptors were open, and %d are\n", world->n_fds, count_fds());
		r = -1;
	}
	free(world);
	return r;
}

struct world world_again(const struct world *world)
{
	struct world again = *world;

	again.dir = file_open_directory(AT_FDCWD, world->path);
	must(again.dir >= 0);
	return again;
}

static void make_parent(const struct world *world, const char *path)
{
	cleanup_free char *parent = xstrdup(path);
	char *slash = strrchr(parent, '/');

	if (!slash)
		return;
	*slash = '\0';
	must(file_make_directories(world->dir, parent, 0755) == 0);
}

void world_directory(const struct world *world, const char *path, mode_t mode)
{
	must(file_make_directories(world->dir, path, 0755) == 0);
	must(fchmodat(world->dir, path, mode, 0) == 0);
}

void world_file(const struct world *world, const char *path, const char *content, mode_t mode)
{
	make_parent(world, path);
	must(file_write(world->dir, path, content, mode) == 0);
	must(fchmodat(world->dir, path, mode, 0) == 0);
}

void world_link(const struct world *world, const char *target, const char *path)
{
	make_parent(world, path);
	must(symlinkat(target, world->dir, path) == 0);
}

bool world_has(const struct world *world, const char *path)
{
	struct stat st;

	return fstatat(world->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

char *world_path(const struct world *world, const char *path)
{
	return xasprintf("%s/%s", world->path, path);
}

char *world_read(const struct world *world, const char *path)
{
	char *data = NULL;

	must(file_read(world->dir, path, 1 << 20, &data, NULL) == 0);
	return data;
}

char *world_expand(const struct world *world, const char *text)
{
	struct text out = {0};

	for (; *text; text++)
		if (*text == '@')
			text_add(&out, world->path);
		else
			text_add_bytes(&out, text, 1);
	return text_take(&out);
}

int count_fds(void)
{
	cleanup_dir DIR *dir = opendir("/proc/self/fd");
	int n = -3; /* ".", ".." and the directory itself */

	while (dir && readdir(dir))
		n++;
	return n;
}

bool is_root(void)
{
	return geteuid() == 0;
}

void must_have(const char *condition, const char *file, int line)
{
	dprintf(2, "%s:%d: %s does not hold (%s)\n", file, line, condition, strerror(errno));
	_exit(1);
}

void must_succeed(int result, const struct error *err)
{
	if (result < 0)
		dprintf(2, "%s\n", err->text);
	must(result >= 0);
}

void must_fail(int result, const struct error *err, const char *words)
{
	must(result < 0);
	if (!strstr(err->text, words))
		dprintf(2, "'%s' is not in: %s\n", words, err->text);
	must(strstr(err->text, words));
	must(err->code == result);
}

void assert_succeeds(int result, const struct error *err)
{
	if (result < 0)
		print_error("%s\n", err->text);
	assert_true(result >= 0);
}

void assert_fails(int result, int expected, const struct error *err, const char *words)
{
	if (result < 0 && !strstr(err->text, words))
		print_error("'%s' is not in: %s\n", words, err->text);
	assert_int_equal(result, expected);
	assert_int_equal(err->code, expected);
	assert_non_null(strstr(err->text, words));
}

pid_t start_child(void (*body)(const void *arg), const void *arg)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	process_reset_signals(); /* cmocka would catch a crash and go on with the next test */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(WORLD_BOUND_MS / 1000);
	body(arg);
	_exit(0);
}

void wait_forever(const void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

int wait_status(pid_t pid)
{
	int fd = process_pidfd_open(pid), status;
	struct pollfd polled = {.fd = fd, .events = POLLIN};

	assert_true(fd >= 0);
	assert_int_equal(poll(&polled, 1, WORLD_BOUND_MS), 1);
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

struct call {
	int namespaces;
	void (*body)(const void *arg);
	const void *arg;
};

/* unshare(2) makes the next child, not the caller, process 1 of a new PID namespace. */
static void run_as_first(const struct call *call)
{
	int status;
	pid_t pid = fork();

	must(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(WORLD_BOUND_MS / 1000);
		call->body(call->arg);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid);
	if (status != 0)
		_exit(1);
}

static void enter_and_run(const void *arg)
{
	const struct call *call = arg;

	if (call->namespaces)
		must(unshare(call->namespaces) == 0);
	if (call->namespaces & CLONE_NEWNS)
		must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	if (call->namespaces & CLONE_NEWPID)
		run_as_first(call);
	else
		call->body(call->arg);
}

void run_in_child(int namespaces, void (*body)(const void *arg), const void *arg)
{
	struct call call = {.namespaces = namespaces, .body = body, .arg = arg};
	pid_t pid = start_child(enter_and_run, &call);

	assert_int_equal(wait_status(pid), 0);
}

void say(int fd)
{
	must(write(fd, "x", 1) == 1);
}

void hear(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	char byte;

	must(poll(&polled, 1, WORLD_BOUND_MS) == 1);
	must(read(fd, &byte, 1) == 1);
}
