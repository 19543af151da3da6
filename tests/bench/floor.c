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
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif

#define INSTANCE_NAMESPACES \
	(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC)

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

/* In the server's groups: the namespace's root is where its maker stands. */
static void make_and_wait(int channel)
{
	char word = 'm';

	check(unshare(CLONE_NEWCGROUP), "cgroup namespace");
	check(unshare(CLONE_NEWUSER), "user namespace");
	if (write(channel, &word, 1) == 1)
		(void)!read(channel, &word, 1);
	_exit(0);
}

static int open_namespace(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	check(fd, path);
	return fd;
}

/*
 * Older than the other namespaces: layers get the user namespace's ids before anything is inside,
 * and nobody must move into the server's groups and back for that of groups.
 */
static void make_old_namespaces(void)
{
	int channel[2];
	char word;
	pid_t pid;

	check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), "socket pair");
	pid = groups_fork(true, 0);
	if (pid == 0) {
		close(channel[0]);
		make_and_wait(channel[1]);
	}
	close(channel[1]);
	check(read(channel[0], &word, 1) - 1, "namespaces");
	write_map(pid, "uid_map");
	write_map(pid, "gid_map");
	here.userns = open_namespace(pid, "user");
	here.cgroupns = open_namespace(pid, "cgroup");
	close(channel[0]);
	waitpid(pid, NULL, 0);
}

static void userns_enter(void)
{
	check(setns(here.userns, CLONE_NEWUSER), "enter the user namespace");
	check(setresgid(0, 0, 0), "group inside");
	check(setresuid(0, 0, 0), "user inside");
}

static void await(int pipe)
{
	char word;

	check(read(pipe, &word, 1) - 1, "a word");
}

/* Born before there is a root: only the host's root can have it be born in the server's group. */
static int server_run(int root, int go)
{
	check(setns(here.cgroupns, CLONE_NEWCGROUP), "enter the cgroup namespace");
	await(root);
	check(chdir("/"), "/");
	userns_enter();
	root_confine(&here);
	/* the link is made meanwhile */
	await(go);
	server_confine();
	execv(here.argv[0], here.argv);
	check(-1, here.argv[0]);
	return 1;
}

static int init_run(int go)
{
	int root[2], status = 0;
	pid_t server;

	setsid();
	check(sethostname(here.id, strlen(here.id)), "host name");
	check(pipe2(root, O_CLOEXEC), "pipe");
	server = groups_fork(true, 0);
	if (server == 0)
		_exit(server_run(root[0], go));
	check(setns(here.cgroupns, CLONE_NEWCGROUP), "enter the cgroup namespace");
	if (!here.link)
		link_none();
	root_enter(&here);
	check(write(root[1], "r", 1), "a word");
	userns_enter();
	root_confine(&here);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	while (waitpid(server, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int run(void)
{
	int go[2], status;
	pid_t init;

	check(pipe2(go, O_CLOEXEC), "pipe");
	init = groups_fork(false, INSTANCE_NAMESPACES);
	if (init == 0)
		_exit(init_run(go[0]));
	close(go[0]);
	if (here.link) {
		here.netns = open_namespace(init, "net");
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
	make_old_namespaces();
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
