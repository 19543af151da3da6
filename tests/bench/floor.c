/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor under the start of an instance: makes the same kernel objects as a full one, in the
 * cheapest way that we know, runs a program inside, waits for it, and undoes everything. It decides
 * nothing, keeps no record, looks at no host, and nothing of it outlives a kill. Where stint learns
 * to do with fewer objects, so does this. For scripts/bench alone.
 *
 *   floor [--link] INSTALL PROGRAM [ARGUMENT...]
 *
 * Made are: a user namespace with 65,536 ids, pid, mount, network, UTS, IPC and cgroup namespaces;
 * two groups with limits in each hierarchy; an overlay on INSTALL and everything else that is
 * mounted, made or copied for the root of an instance (runtime/rootfs/compile.c); an address on lo
 * or, with --link, a veth pair with addresses, neighbours and routes; a Landlock domain, a filter
 * of system calls, an empty set of capabilities; PID 1 and the server. Not made are what is stint's
 * own: keeper and forwarder, the store, the log.
 */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif

static struct floor here; /* what is undone at the exit, whatever it is that ends the parent */
static pid_t parent;

void check(long result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	/* only the parent undoes */
	if (getpid() == parent)
		exit(1);
	_exit(1);
}

/* What overlayfs leaves in a work directory for "volatile" as well. */
static void layer_remove(void)
{
	static const char *const parts[] = {"upper",
					    "work/work/incompat/volatile/dirty",
					    "work/work/incompat/volatile",
					    "work/work/incompat",
					    "work/work",
					    "work",
					    "."};
	char path[128];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", here.state, parts[i]);
		if (strcmp(parts[i], ".") == 0)
			path[strlen(path) - 2] = '\0';
		if (unlink(path) < 0 && errno == EISDIR)
			rmdir(path);
	}
}

static void undo(void)
{
	groups_remove(&here);
	layer_remove();
}

static void layer_make(void)
{
	char path[128];

	snprintf(here.state, sizeof(here.state), "/tmp/stint-floor.%s", here.id);
	check(mkdir(here.state, 0700), here.state);
	snprintf(path, sizeof(path), "%s/upper", here.state);
	check(mkdir(path, 0755), path);
	snprintf(path, sizeof(path), "%s/work", here.state);
	check(mkdir(path, 0700), path);
}

static void write_map(pid_t pid, const char *name)
{
	char path[64], map[64];
	int fd, n = snprintf(map, sizeof(map), "0 %u %u", FLOOR_BASE, FLOOR_SPAN);

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	check(fd, path);
	check(write(fd, map, (size_t)n), path);
	close(fd);
}

static int __attribute__((noreturn)) sleep_for_ever(void *nothing)
{
	(void)nothing;
	for (;;)
		pause();
}

/* Older than the other namespaces: layers get its ids before anything is inside. */
static void userns_make(void)
{
	static char stack[4096] __attribute__((aligned(16)));
	char path[64];
	pid_t pid = clone(sleep_for_ever, stack + sizeof(stack),
			  CLONE_VM | CLONE_FILES | CLONE_NEWUSER | SIGCHLD, NULL);

	check(pid, "user namespace");
	write_map(pid, "uid_map");
	write_map(pid, "gid_map");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	here.userns = open(path, O_RDONLY | O_CLOEXEC);
	check(here.userns, path);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void userns_enter(void)
{
	check(setns(here.userns, CLONE_NEWUSER), "enter the user namespace");
	check(setresgid(0, 0, 0), "group inside");
	check(setresuid(0, 0, 0), "user inside");
}

static int server_run(int go)
{
	char word;

	groups_join_server();
	/* the link is made meanwhile */
	check(read(go, &word, 1) == 1 ? 0 : -1, "the parent's word");
	server_confine();
	execv(here.argv[0], here.argv);
	check(-1, here.argv[0]);
	return 1;
}

static int init_run(int go)
{
	pid_t server;
	int status = 0;

	setsid();
	check(sethostname(here.id, strlen(here.id)), "host name");
	/* the namespace's root is where its maker stands at this moment */
	groups_join_server();
	check(unshare(CLONE_NEWCGROUP), "cgroup namespace");
	groups_join_host();
	if (!here.link)
		link_none();
	root_enter(&here);
	userns_enter();
	root_confine(&here);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	server = fork();
	check(server, "fork");
	if (server == 0)
		_exit(server_run(go));
	while (waitpid(server, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static pid_t init_start(int go)
{
	struct clone_args args = {
		.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC,
		.exit_signal = SIGCHLD,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	check(pid, "namespaces");
	if (pid == 0)
		_exit(init_run(go));
	return pid;
}

static int run(void)
{
	char path[64];
	int go[2], status;
	pid_t init;

	check(pipe2(go, O_CLOEXEC), "pipe");
	init = init_start(go[0]);
	close(go[0]);
	if (here.link) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", init);
		here.netns = open(path, O_RDONLY | O_CLOEXEC);
		check(here.netns, path);
		link_make(&here);
		close(here.netns);
	}
	check(write(go[1], "g", 1), "the word to go");
	check(waitpid(init, &status, 0), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void prepare(void)
{
	sigset_t ends;

	/* it lasts milliseconds, and ends by itself: a signal waits until all is undone */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	umask(0);
	parent = getpid();
	snprintf(here.id, sizeof(here.id), "%d", parent);
	atexit(undo);
	layer_make();
	groups_make(&here);
	userns_make();
}

int main(int argc, char **argv)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP};

	here.link = argc > 1 && strcmp(argv[1], "--link") == 0;
	argv += here.link ? 2 : 1;
	if (argc < (here.link ? 4 : 3)) {
		fprintf(stderr, "usage: floor [--link] INSTALL PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	here.install = argv[0];
	here.argv = argv + 1;
	prepare();
	here.layer = (int)syscall(SYS_open_tree, AT_FDCWD, here.state,
				  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	check(here.layer, here.state);
	attr.userns_fd = (uint64_t)here.userns;
	check(syscall(SYS_mount_setattr, here.layer, "", AT_EMPTY_PATH, &attr, sizeof(attr)),
	      "ids of the layer");
	return run();
}
