/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every system call by its number, tried, against the golden table of the filter that is in force;
 * the same numbers as x32 and 32-bit calls, all of which are refused. Arguments are such that an
 * allowed call fails for them or does nothing, each in a process of its own.
 */
#include "hostile.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS 1024
#define X32 0x40000000L
#define BOUND_S 10
#define BLOCKED_NS 20000000

enum abi { NATIVE, X32_CALLS, I386_CALLS };

/* Bad as arguments everywhere: no descriptor, no address, all flags. */
#define BAD (-1L)

static const struct {
	long number;
	const char *why;
} skipped[] = {
	{SYS_sync, "waits for all disks of the host"},
};

/* Of those that look at arguments the table has the answer to zeros. */
static const long takes_zeros[] = {SYS_clone, SYS_socket, SYS_socketpair, SYS_personality};

/* The kernel itself says EPERM to who has no capability, whatever the arguments. */
static const long needs_capability[] = {SYS_setgroups};

/*
 * uretprobe and uprobe: seccomp lets them through whatever the filter says, and they end whoever
 * makes them from elsewhere than the kernel's own trampoline.
 */
static const long unfiltered[] = {335, 336};

/* Those that wait, whatever the arguments, if they are made at all. */
static const long waits[] = {SYS_pause};
static const long waits_i386[] = {29, 72}; /* pause, sigsuspend */

static bool is_one_of(long number, const long *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == number)
			return true;
	return false;
}

static long call(enum abi abi, long number)
{
	long a = is_one_of(number, takes_zeros, ARRAY_SIZE(takes_zeros)) ? 0 : BAD;
	long result;

	if (abi == X32_CALLS)
		return syscall(number | X32, BAD, BAD, BAD, BAD, BAD, BAD);
	if (abi == NATIVE && (number == SYS_mknod || number == SYS_mknodat))
		return syscall(number, BAD, number == SYS_mknod ? 0 : BAD, 0L, 0L);
	if (abi == NATIVE)
		return syscall(number, a, a, a, a, a, a);
#ifdef __x86_64__
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(BAD), "c"(BAD), "d"(BAD), "S"(BAD), "D"(BAD)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = (int)-result;
	return result < 0 ? -1 : result;
#else
	errno = EPERM;
	return -1;
#endif
}

/*
 * What blocks is allowed, as is what ends the process without an answer. A process that the call
 * made says nothing: it may come to run when another call is being tried.
 */
static void try_in_child(enum abi abi, long number, volatile int *answer)
{
	pid_t self = getpid();
	long result = call(abi, number);

	if (getpid() == self)
		*answer = result < 0 ? errno : 0;
	_exit(0);
}

static bool is_waiting(enum abi abi, long number)
{
	if (abi == I386_CALLS)
		return is_one_of(number, waits_i386, ARRAY_SIZE(waits_i386));
	return abi == NATIVE && is_one_of(number, waits, ARRAY_SIZE(waits));
}

/* It may block every signal as well. SIGCHLD is blocked here and waits to be taken. */
static int wait_for(pid_t pid, bool is_short)
{
	struct timespec bound = {is_short ? 0 : BOUND_S, is_short ? BLOCKED_NS : 0};
	sigset_t ended;
	int status = 0;

	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	while (waitpid(pid, &status, WNOHANG) == 0)
		if (sigtimedwait(&ended, NULL, &bound) < 0)
			kill(pid, SIGKILL);
	return status;
}

static const char *try_call(enum abi abi, long number, volatile int *answer)
{
	int status;
	pid_t pid;

	*answer = 0;
	pid = fork();
	if (pid < 0)
		return "no process to try it in";
	if (pid == 0)
		try_in_child(abi, number, answer);
	status = wait_for(pid, is_waiting(abi, number));
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return "SIGSYS";
	return *answer == EPERM ? "EPERM" : *answer == ENOSYS ? "ENOSYS" : "allow";
}

static bool is_expected(enum abi abi, long number, const char *wanted, const char *got)
{
	if (strcmp(wanted, got) == 0)
		return true;
	if (abi == NATIVE && is_one_of(number, unfiltered, ARRAY_SIZE(unfiltered)))
		return strcmp(got, "allow") == 0;
	if (abi != NATIVE || strcmp(wanted, "allow") != 0)
		return false;
	/* a kernel that has not got it */
	if (strcmp(got, "ENOSYS") == 0)
		return true;
	return is_one_of(number, needs_capability, ARRAY_SIZE(needs_capability));
}

static bool is_skipped(long number)
{
	for (size_t i = 0; i < ARRAY_SIZE(skipped); i++)
		if (skipped[i].number == number)
			return true;
	return false;
}

static unsigned sweep(enum abi abi, char wanted[CALLS][8], volatile int *answer)
{
	static const char *const names[] = {"native", "x32", "i386"};
	unsigned wrong = 0;

	for (long number = 0; number < CALLS; number++) {
		const char *want = abi == NATIVE ? wanted[number] : "EPERM", *got;

		if (abi == NATIVE && is_skipped(number))
			continue;
		got = try_call(abi, number, answer);
		if (is_expected(abi, number, want, got))
			continue;
		printf("%s %ld: wanted %s, got %s\n", names[abi], number, want, got);
		wrong++;
	}
	return wrong;
}

/* Beyond the table's end calls are too new to be known. */
static int read_table(const char *path, char wanted[CALLS][8])
{
	FILE *file = fopen(path, "re");
	unsigned number;
	char word[8];

	for (size_t i = 0; i < CALLS; i++)
		memcpy(wanted[i], "ENOSYS", 7);
	if (!file)
		return -1;
	while (fscanf(file, "%u %*s %7s", &number, word) == 2)
		if (number < CALLS)
			memcpy(wanted[number], word, sizeof(word));
	fclose(file);
	return 0;
}

int sweep_calls(const char *table)
{
	static char wanted[CALLS][8];
	sigset_t ended;
	unsigned wrong;
	volatile int *answer =
		mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (answer == MAP_FAILED || read_table(table, wanted) < 0) {
		perror(table);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ended, NULL);
	wrong = sweep(NATIVE, wanted, answer);
#ifdef __x86_64__
	wrong += sweep(X32_CALLS, wanted, answer) + sweep(I386_CALLS, wanted, answer);
#endif
	printf("%u answers differ\n", wrong);
	return wrong != 0;
}
