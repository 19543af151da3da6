/* SPDX-License-Identifier: Apache-2.0 */
/*
 * killat PARTY NUMBER [ERRNO] -- COMMAND...: runs COMMAND, and kills one of its processes at its
 * NUMBER-th system call, or has that call fail with ERRNO and not happen. NUMBER 0 only counts.
 * PARTY: cli (the command), keeper (its child), and of that one's children: helper (those before
 * init), init (the one in a process namespace) and forwarder (those after it). All others go on
 * untouched; nobody is traced any more when the command has ended. With ERRNO only calls that can
 * fail so are counted. Says on standard error, in lines that begin with "killat: ", which call it
 * was and, with NUMBER 0, how many there were. Exits as the command did. Failing calls are for
 * x86-64 alone. See ptrace(2).
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum party { CLI, KEEPER, HELPER, INIT, FORWARDER, OTHER };
static const char *const parties[] = {"cli", "keeper", "helper", "init", "forwarder"};

/* What each call can fail with, of those that are tried. */
static const struct {
	const char *name;
	int number;
	const char *errors;
} calls[] = {
	{"read", SYS_read, "EINTR EIO"},
	{"pread64", SYS_pread64, "EINTR EIO"},
	{"write", SYS_write, "EINTR EIO ENOSPC EAGAIN"},
	{"pwrite64", SYS_pwrite64, "EINTR EIO ENOSPC"},
	{"fdatasync", SYS_fdatasync, "EIO ENOSPC"},
	{"fsync", SYS_fsync, "EIO ENOSPC"},
	{"ftruncate", SYS_ftruncate, "EIO EINTR"},
	{"fallocate", SYS_fallocate, "EIO ENOSPC EINTR"},
	{"openat", SYS_openat, "EMFILE ENOSPC EINTR ENOMEM EIO"},
	{"openat2", SYS_openat2, "EMFILE ENOMEM EAGAIN"},
	{"mkdirat", SYS_mkdirat, "ENOSPC EEXIST EIO ENOMEM"},
	{"linkat", SYS_linkat, "ENOSPC EEXIST EPERM"},
	{"renameat", SYS_renameat, "ENOSPC EIO"},
	{"unlinkat", SYS_unlinkat, "EIO"},
	{"socket", SYS_socket, "EMFILE ENOBUFS ENOMEM EPERM"},
	{"socketpair", SYS_socketpair, "EMFILE ENOBUFS"},
	{"bind", SYS_bind, "ENOMEM EPERM"},
	{"listen", SYS_listen, "EPERM"},
	{"connect", SYS_connect, "EINTR EAGAIN EPERM"},
	{"sendmsg", SYS_sendmsg, "EINTR ENOBUFS ENOMEM"},
	{"sendto", SYS_sendto, "EINTR ENOBUFS ENOMEM"},
	{"recvmsg", SYS_recvmsg, "EINTR ENOMEM"},
	{"recvfrom", SYS_recvfrom, "EINTR ENOMEM"},
	{"ppoll", SYS_ppoll, "EINTR"},
	{"epoll_create1", SYS_epoll_create1, "EMFILE ENOMEM"},
	{"epoll_ctl", SYS_epoll_ctl, "ENOMEM ENOSPC"},
	{"epoll_pwait", SYS_epoll_pwait, "EINTR"},
	{"pipe2", SYS_pipe2, "EMFILE"},
	{"memfd_create", SYS_memfd_create, "EMFILE ENOMEM"},
	{"eventfd2", SYS_eventfd2, "EMFILE ENOMEM"},
	{"timerfd_create", SYS_timerfd_create, "EMFILE ENOMEM"},
	{"timerfd_settime", SYS_timerfd_settime, "EPERM"},
	{"signalfd4", SYS_signalfd4, "EMFILE ENOMEM"},
	{"pidfd_open", SYS_pidfd_open, "EMFILE ENOMEM"},
	{"flock", SYS_flock, "EINTR EAGAIN"},
	{"clone", SYS_clone, "ENOMEM EAGAIN"},
	{"clone3", SYS_clone3, "ENOMEM EAGAIN ENOSPC EPERM"},
	{"execve", SYS_execve, "ENOMEM EIO EAGAIN"},
	{"wait4", SYS_wait4, "EINTR"},
	{"mount", SYS_mount, "ENOMEM EPERM"},
	{"umount2", SYS_umount2, "ENOMEM EPERM"},
	{"open_tree", SYS_open_tree, "EMFILE ENOMEM EPERM"},
	{"move_mount", SYS_move_mount, "ENOMEM EPERM"},
	{"fsopen", SYS_fsopen, "EMFILE ENOMEM EPERM"},
	{"fsconfig", SYS_fsconfig, "ENOMEM EPERM"},
	{"fsmount", SYS_fsmount, "EMFILE ENOMEM EPERM ENOSPC"},
	{"mount_setattr", SYS_mount_setattr, "ENOMEM EPERM"},
	{"pivot_root", SYS_pivot_root, "EPERM"},
	{"unshare", SYS_unshare, "ENOMEM ENOSPC EPERM"},
	{"setns", SYS_setns, "ENOMEM EPERM"},
	{"sethostname", SYS_sethostname, "EPERM"},
	{"setresuid", SYS_setresuid, "EAGAIN EPERM"},
	{"setresgid", SYS_setresgid, "EPERM"},
	{"setgroups", SYS_setgroups, "ENOMEM EPERM"},
	{"capset", SYS_capset, "EPERM"},
	{"seccomp", SYS_seccomp, "ENOMEM EPERM"},
	{"fchownat", SYS_fchownat, "EPERM EIO ENOSPC"},
#ifdef SYS_poll /* not on architectures that came later */
	{"mkdir", SYS_mkdir, "ENOSPC EEXIST EIO ENOMEM"},
	{"poll", SYS_poll, "EINTR"},
	{"dup2", SYS_dup2, "EINTR"},
	{"epoll_wait", SYS_epoll_wait, "EINTR"},
#endif
	{"fchmodat", SYS_fchmodat, "EPERM EIO ENOSPC"},
};

static const struct {
	const char *name;
	int number;
} errors[] = {
	{"ENOSPC", ENOSPC}, {"EMFILE", EMFILE}, {"ENOMEM", ENOMEM},
	{"EEXIST", EEXIST}, {"EINTR", EINTR},	{"EIO", EIO},
	{"EAGAIN", EAGAIN}, {"EPERM", EPERM},	{"ENOBUFS", ENOBUFS},
};

struct tracee {
	pid_t pid;
	enum party party;
	bool known, failing;
	long calls;
};

static struct {
	struct tracee list[256];
	size_t n;
	enum party party;
	long number;
	const char *error; /* NULL: kill */
	bool met, seen_init;
} me;

static struct tracee *find(pid_t pid)
{
	for (size_t i = 0; i < me.n; i++)
		if (me.list[i].pid == pid)
			return &me.list[i];
	if (me.n == 256)
		exit(125);
	me.list[me.n] = (struct tracee){.pid = pid, .party = OTHER};
	return &me.list[me.n++];
}

static int errno_of(const char *name)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (strcmp(errors[i].name, name) == 0)
			return errors[i].number;
	return 0;
}

static bool has_own_pids(pid_t pid)
{
	char line[256], path[64];
	bool own = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "NSpid:", 6) == 0)
			own = strchr(strchr(line, '\t') + 1, '\t') != NULL;
	if (file)
		fclose(file);
	return own;
}

static enum party child_party(const struct tracee *parent, pid_t child)
{
	if (parent->party == CLI)
		return KEEPER;
	if (parent->party != KEEPER)
		return OTHER;
	if (has_own_pids(child)) {
		me.seen_init = true;
		return INIT;
	}
	return me.seen_init ? FORWARDER : HELPER;
}

static void set_call(pid_t pid, bool result, long value)
{
#ifdef __x86_64__
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		return;
	*(result ? &regs.rax : &regs.orig_rax) = (unsigned long long)value;
	ptrace(PTRACE_SETREGS, pid, NULL, &regs);
#else
	(void)pid, (void)result, (void)value;
#endif
}

/* Its name when it can fail in the way that is tried; any when a process is to be killed. */
static const char *candidate(long number)
{
	for (size_t i = 0; me.error && i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i].number == number && strstr(calls[i].errors, me.error))
			return calls[i].name;
	return me.error ? NULL : "";
}

static void at_entry(struct tracee *t, long number)
{
	const char *name = t->party == me.party ? candidate(number) : NULL;

	if (!name)
		return;
	t->calls++;
	if (!me.met && t->calls == me.number && me.error)
		fprintf(stderr, "killat: %s of %s\n", name, parties[t->party]);
	if (me.met || t->calls != me.number)
		return;
	me.met = true;
	if (!me.error) {
		kill(t->pid, SIGKILL);
	} else {
		set_call(t->pid, false, -1);
		t->failing = true;
	}
}

static void at_call(struct tracee *t)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		at_entry(t, (long)info.entry.nr);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && t->failing) {
		set_call(t->pid, true, -errno_of(me.error));
		t->failing = false;
	}
}

static void at_event(struct tracee *t, int event)
{
	unsigned long child;

	if (event != PTRACE_EVENT_FORK && event != PTRACE_EVENT_VFORK &&
	    event != PTRACE_EVENT_CLONE)
		return;
	ptrace(PTRACE_GETEVENTMSG, t->pid, NULL, &child);
	find((pid_t)child)->party = child_party(t, (pid_t)child);
	find((pid_t)child)->known = true;
}

/* Whom nothing is to happen to any more goes on alone. */
static bool is_needed(const struct tracee *t)
{
	if (!t->known)
		return true;
	return t->failing || (!me.met && t->party != OTHER && t->party <= me.party) ||
	       (!me.met && t->party == KEEPER);
}

static void go_on(struct tracee *t, int signal)
{
	if (is_needed(t))
		ptrace(PTRACE_SYSCALL, t->pid, NULL, (long)signal);
	else
		ptrace(PTRACE_DETACH, t->pid, NULL, (long)signal);
}

static void at_stop(struct tracee *t, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);

	if (event == PTRACE_EVENT_STOP) {
		/* a new one, or a stop of the group, which is left to itself */
		ptrace(PTRACE_SYSCALL, t->pid, NULL, 0L);
		return;
	}
	if (event) {
		at_event(t, event);
		go_on(t, 0);
	} else if (signal == (SIGTRAP | 0x80)) {
		at_call(t);
		go_on(t, 0);
	} else {
		go_on(t, signal);
	}
}

static void seize(pid_t pid)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;

	if (ptrace(PTRACE_SEIZE, pid, NULL, options) < 0)
		exit(125);
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	*find(pid) = (struct tracee){.pid = pid, .party = CLI, .known = true};
}

static pid_t launch(char **command)
{
	int go[2];
	pid_t pid;

	if (pipe(go) < 0)
		exit(125);
	pid = fork();
	if (pid == 0) {
		char byte;

		close(go[1]);
		/* the first may be the call that is to fail */
		if (read(go[0], &byte, 1) != 1 && read(go[0], &byte, 1) != 1)
			_exit(125);
		close(go[0]);
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	close(go[0]);
	seize(pid);
	if (write(go[1], "", 1) != 1)
		exit(125);
	close(go[1]);
	return pid;
}

static long most_calls(void)
{
	long most = 0;

	for (size_t i = 0; i < me.n; i++)
		if (me.list[i].party == me.party && me.list[i].calls > most)
			most = me.list[i].calls;
	return most;
}

/* Until the command has ended; whoever is still traced then is let go by our own end. */
static int watch(pid_t command)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			at_stop(find(pid), status);
		else if (pid == command)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return 125;
}

int main(int argc, char **argv)
{
	int at = 3, status;

	for (me.party = CLI; argc > 4 && me.party < OTHER; me.party++)
		if (strcmp(parties[me.party], argv[1]) == 0)
			break;
	if (argc < 5 || me.party == OTHER)
		return 125;
	me.number = strtol(argv[2], NULL, 10);
	if (strcmp(argv[at], "--") != 0)
		me.error = argv[at++];
	if (strcmp(argv[at], "--") != 0 || !argv[at + 1] || (me.error && !errno_of(me.error)))
		return 125;
	if (strcmp(argv[at + 1], "-p") == 0 && argv[at + 2]) {
		pid_t pid = (pid_t)strtol(argv[at + 2], NULL, 10);

		seize(pid);
		fprintf(stderr, "killat: attached\n");
		status = watch(pid);
	} else {
		status = watch(launch(argv + at + 1));
	}
	if (me.number == 0)
		fprintf(stderr, "killat: %ld calls\n", most_calls());
	if (me.number > 0 && !me.met)
		fprintf(stderr, "killat: not met\n");
	return status;
}
