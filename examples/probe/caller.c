/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verb "strange": what a caller may hand on to the programs that it starts, all of it other
 * than usual. Nothing of it may be seen in a sandbox that such a program makes. Fails where a part
 * of it cannot be done, so that no test believes to have seen it.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DESCRIPTORS 200
#define DEPTH 30
#define LAST_SIGNAL 64

static int strange_descriptors(void)
{
	for (int fd = 3; fd < DESCRIPTORS; fd++) {
		int from = open(fd % 2 ? "/etc/passwd" : "/", O_RDONLY);

		if (from < 0 || (from != fd && dup2(from, fd) < 0))
			return -1;
		if (from > fd)
			close(from);
	}
	return close(STDIN_FILENO);
}

/* By the kernel's own call: the library keeps two signals to itself. */
static int strange_signals(void)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} ignore = {.handler = SIG_IGN};
	uint64_t all = ~UINT64_C(0);

	for (int signal = 1; signal <= LAST_SIGNAL; signal++)
		if (signal != SIGKILL && signal != SIGSTOP &&
		    syscall(SYS_rt_sigaction, signal, &ignore, NULL, sizeof(uint64_t)) < 0)
			return -1;
	return (int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(uint64_t));
}

/* Soft limits: the hard ones are the most that a caller without a capability can give on. */
static int strange_limits(void)
{
	static const struct {
		int resource;
		rlim_t soft;
	} limits[] = {
		{RLIMIT_CORE, RLIM_INFINITY},
		{RLIMIT_CPU, 600},
		{RLIMIT_DATA, (rlim_t)1 << 46},
		{RLIMIT_FSIZE, 64 << 20},
		{RLIMIT_LOCKS, 100},
		{RLIMIT_MEMLOCK, 0},
		{RLIMIT_MSGQUEUE, 0},
		{RLIMIT_NOFILE, 256},
		{RLIMIT_RSS, 1 << 20},
		{RLIMIT_RTTIME, 1000000},
		{RLIMIT_SIGPENDING, 100},
		{RLIMIT_STACK, 1 << 20},
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		__rlimit_resource_t resource = (__rlimit_resource_t)limits[i].resource;
		struct rlimit limit;

		if (getrlimit(resource, &limit) < 0)
			return -1;
		limit.rlim_cur = limits[i].soft < limit.rlim_max ? limits[i].soft : limit.rlim_max;
		if (setrlimit(resource, &limit) < 0)
			return -1;
	}
	return 0;
}

static int strange_groups(void)
{
	static const gid_t groups[] = {4, 27, 4711, 100000};

	return setgroups(ARRAY_SIZE(groups), groups);
}

static int strange_scheduling(void)
{
	static const struct sched_param none = {0};

	if (sched_setscheduler(0, SCHED_BATCH, &none) < 0 || setpriority(PRIO_PROCESS, 0, 7) < 0)
		return -1;
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		    IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)) < 0)
		return -1;
	return prctl(PR_SET_TIMERSLACK, 7777, 0, 0, 0);
}

static int poke(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	close(fd);
	return n < 0 ? -1 : 0;
}

static int strange_memory(void)
{
	if (personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC) < 0)
		return -1;
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0 ||
	    poke("/proc/self/coredump_filter", "0x7f") < 0)
		return -1;
	return poke("/proc/self/oom_score_adj", "777");
}

/* Removes the directory in which we are, and those above that are called so too. */
static int remove_upwards(const char *name)
{
	int above = open("..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (above >= 0 && unlinkat(above, name, AT_REMOVEDIR) == 0) {
		int next = openat(above, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(above);
		above = next;
	}
	close(above);
	return above < 0 || errno != ENOENT ? -1 : 0;
}

/* A directory whose path is longer than any buffer, and that is removed already. */
static int strange_directory(void)
{
	char top[] = "/tmp/stint-strange.XXXXXX", name[200];

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	if (!mkdtemp(top) || chdir(top) < 0)
		return -1;
	for (int i = 0; i < DEPTH; i++)
		if (mkdir(name, 0700) < 0 || chdir(name) < 0)
			return -1;
	return remove_upwards(name) < 0 ? -1 : rmdir(top);
}

/* A terminal of its own whose other side stays with it, and which hangs up when it ends. */
static int strange_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), terminal;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || setsid() < 0)
		return -1;
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	/* out of the way of the descriptors that are made later */
	if (terminal < 0 || fcntl(master, F_DUPFD, DESCRIPTORS) < 0)
		return -1;
	return ioctl(terminal, TIOCSCTTY, 0);
}

static int strange_names(void)
{
	static const char name[] = "strange";

	if (unshare(CLONE_NEWUTS) < 0 || sethostname(name, sizeof(name) - 1) < 0)
		return -1;
	return setdomainname(name, sizeof(name) - 1);
}

static void strange_environment(void)
{
	setenv("SECRET_OF_CALLER", "x", 1);
	setenv("HOME", "/nowhere", 1);
	setenv("USER", "somebody", 1);
	setenv("LANG", "tlh_KX.EBCDIC", 1);
	setenv("TERM", "strange", 1);
	setenv("IFS", "/", 1);
	setenv("BASH_ENV", "/nowhere", 1);
	setenv("MALLOC_PERTURB_", "165", 1);
	setenv("TMPDIR", "/nowhere", 1);
	putenv("NO_EQUALS_SIGN");
}

int verb_strange(char **argument)
{
	static int (*const parts[])(void) = {
		strange_directory, strange_groups,   strange_scheduling,
		strange_memory,	   strange_terminal, strange_names,
		strange_signals,   strange_limits,   strange_descriptors,
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i]() < 0)
			return -1;
	strange_environment();
	umask(0);
	return execvp(argument[0], argument);
}
