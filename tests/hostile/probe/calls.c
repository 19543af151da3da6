/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt per family of system calls that the filter refuses; see hostile.h. Arguments are such
 * that nothing happens to the host where they are let through.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOWHERE 1L /* an address that is not mapped */

/* In a child, with the raw call: a new process would go on in this one's stack. */
static struct verdict clone_with(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return by_call(pid);
}

static struct verdict clone_user(void)
{
	return clone_with(CLONE_NEWUSER);
}

static struct verdict clone_mount(void)
{
	return clone_with(CLONE_NEWNS);
}

static struct verdict clone3_user(void)
{
	struct clone_args arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (pid == 0)
		_exit(0);
	return by_call(pid);
}

static pid_t start_victim(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static struct verdict trace(void)
{
	return by_call(ptrace(PTRACE_ATTACH, start_victim(), NULL, NULL));
}

static struct verdict trace_me(void)
{
	return by_call(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static struct verdict transfer(long number)
{
	static char text[16] = "secret";
	char copy[16] = "";
	struct iovec here = {copy, sizeof(copy)}, there = {text, sizeof(text)};

	return by_call(syscall(number, start_victim(), &here, 1L, &there, 1L, 0L));
}

static struct verdict read_other(void)
{
	return transfer(SYS_process_vm_readv);
}

static struct verdict write_other(void)
{
	return transfer(SYS_process_vm_writev);
}

static struct verdict compare(void)
{
	return by_call(syscall(SYS_kcmp, getpid(), start_victim(), 1, 0, 0));
}

static struct verdict take_descriptor(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, start_victim(), 0);

	return pidfd < 0 ? denied() : by_call(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
}

static struct verdict set_own_namespace(void)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? denied() : by_call(setns(fd, 0));
}

/* Shocker: any file of the host by a guess at its number. */
static struct verdict open_handle(void)
{
	struct {
		struct file_handle head;
		unsigned char bytes[128];
	} handle = {.head.handle_bytes = 128};
	int id, directory = open("/usr", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (name_to_handle_at(AT_FDCWD, "/usr", &handle.head, &id, 0) < 0)
		return by_call(-1);
	return by_call(open_by_handle_at(directory, &handle.head, O_RDONLY));
}

static struct verdict foreign_ring(long number)
{
	char memory[256] = {0};

	return by_call(syscall(number, 1L, memory, 0L));
}

static struct verdict io_uring(void)
{
	return foreign_ring(SYS_io_uring_setup);
}

#ifdef __x86_64__
/* A 32-bit call goes by other numbers: 20 is getpid. In a child, which it may end. */
static struct verdict int80(void)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(20L)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = (int)-result;
	return result > 0 ? succeeded("pid %ld", result) : denied();
}

/* Kernels without x32 refuse by themselves: what remains is that no filter was before them. */
static struct verdict x32(void)
{
	char line[128];
	FILE *file = fopen("/proc/self/status", "re");
	int mode = 2;
	long result = syscall(0x40000000L | SYS_getppid);

	if (result >= 0)
		return succeeded("ppid %ld", result);
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "Seccomp: %d", &mode);
	if (file)
		fclose(file);
	return mode == 0 ? reached("ENOSYS") : denied();
}
#endif

#define CALL(...)           \
	NULL,               \
	{                   \
		__VA_ARGS__ \
	}

static const struct probe list[] = {
	{"call-unshare-user", "63,65", "a user namespace", FILTER,
	 CALL(SYS_unshare, CLONE_NEWUSER)},
	{"call-unshare-mount", "63", "a mount namespace", "seccomp,caps",
	 CALL(SYS_unshare, CLONE_NEWNS)},
	{"call-unshare-net", "65", "a network namespace", "seccomp,caps",
	 CALL(SYS_unshare, CLONE_NEWNET)},
	{"call-clone-user", "63,65", "a child in a user namespace", FILTER, clone_user, {0}},
	{"call-clone-mount",
	 "63",
	 "a child in a mount namespace",
	 "seccomp,caps",
	 clone_mount,
	 {0}},
	{"call-clone3-user", "49,63", "the same by clone3", FILTER, clone3_user, {0}},
	{"call-setns", "1,22", "enter a namespace", BOTH, set_own_namespace, {0}},
	{"call-ptrace", "1,51", "trace another process", FILTER, trace, {0}},
	{"call-ptrace-me", "51", "be traced", FILTER, trace_me, {0}},
	{"call-vm-read", "51", "read another's memory", FILTER, read_other, {0}},
	{"call-vm-write", "51", "write another's memory", FILTER, write_other, {0}},
	{"call-kcmp", "51", "compare kernel pointers", FILTER, compare, {0}},
	{"call-pidfd-getfd", "1,49", "take another's descriptor", FILTER, take_descriptor, {0}},
	{"call-personality", "47", "READ_IMPLIES_EXEC", FILTER,
	 CALL(SYS_personality, READ_IMPLIES_EXEC)},
	{"call-handle", "23", "name and open files by handle", BOTH, open_handle, {0}},
	{"call-keyctl", "60,67", "keyctl", FILTER, CALL(SYS_keyctl, 0, -3, 1)},
	{"call-add-key", "60,67", "add_key", FILTER, CALL(SYS_add_key, NOWHERE, NOWHERE)},
	{"call-request-key", "60,67", "request_key", FILTER, CALL(SYS_request_key, NOWHERE)},
	{"call-io-uring", "67", "io_uring_setup", FILTER, io_uring, {0}},
	{"call-io-uring-enter", "67", "io_uring_enter", FILTER, CALL(SYS_io_uring_enter, -1)},
	{"call-userfaultfd", "67", "userfaultfd", FILTER, CALL(SYS_userfaultfd, 1 | O_CLOEXEC)},
	{"call-bpf", "67", "bpf", FILTER, CALL(SYS_bpf, 0, NOWHERE, 72)},
	{"call-perf", "67", "perf_event_open", FILTER,
	 CALL(SYS_perf_event_open, NOWHERE, 0, -1, -1)},
	{"call-vmsplice", "62", "vmsplice", FILTER, CALL(SYS_vmsplice, -1, 0, 0)},
	{"call-mbind", "49", "NUMA policies", FILTER, CALL(SYS_mbind, 0, 0, -1)},
	{"call-move-pages", "49", "move pages of a process", FILTER, CALL(SYS_move_pages, 0, 0)},
	{"call-modify-ldt", "49", "segments", FILTER, CALL(SYS_modify_ldt, 0, NOWHERE, 0)},
	{"call-fanotify", "49", "watch a mount", BOTH, CALL(SYS_fanotify_init, ~0L, 0)},
	{"call-syslog", "61", "the kernel's log", BOTH, CALL(SYS_syslog, 10)},
	{"call-module", "67", "load a module", BOTH, CALL(SYS_init_module, NOWHERE, 8, NOWHERE)},
	{"call-kexec", "67", "another kernel", BOTH, CALL(SYS_kexec_load, 0, ~0L, 0, 0)},
	{"call-reboot", "67", "reboot, without its key words", BOTH, CALL(SYS_reboot, 0, 0, 0, 0)},
	{"call-clock", "67", "set the clock", FILTER, CALL(SYS_clock_settime, 0, NOWHERE)},
	{"call-adjtimex", "67", "adjust the clock", FILTER, CALL(SYS_adjtimex, NOWHERE)},
	{"call-swapon", "67", "swap", BOTH, CALL(SYS_swapon, NOWHERE, 0)},
	{"call-acct", "67", "process accounting", BOTH, CALL(SYS_acct, NOWHERE)},
	{"call-quotactl", "67", "disk quotas", FILTER, CALL(SYS_quotactl, -1, NOWHERE, 0, 0)},
	{"call-hostname", "67", "the host's name", BOTH, CALL(SYS_sethostname, NOWHERE, 1)},
	{"call-iopl", "67", "ports of devices", BOTH, CALL(SYS_iopl, 3)},
	{"call-scheduler", "67", "real time", FILTER, CALL(SYS_sched_setscheduler, -1, 0, NOWHERE)},
#ifdef __x86_64__
	{"call-int80", "47,62", "a 32-bit call", FILTER, int80, {0}},
	{"call-x32", "47", "an x32 call", FILTER, x32, {0}},
#endif
};
const struct family family_calls = {list, ARRAY_SIZE(list)};
