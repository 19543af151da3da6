/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs about processes. What is left behind on purpose ends by itself after LEFTOVER_SECONDS, so
 * that a sandbox that leaks does not burden the host that tests it for long.
 */
#include "probe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LEFTOVER_SECONDS 300

int verb_exit(char **argument)
{
	exit((int)number(argument[0]) & 0xff);
}

static struct timespec seconds_read(const char *text)
{
	double seconds = strtod(text, NULL);

	return (struct timespec){.tv_sec = (time_t)seconds,
				 .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
}

int verb_sleep(char **argument)
{
	struct timespec left = seconds_read(argument[0]);

	while (nanosleep(&left, &left) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return 0;
}

int verb_spin(char **argument)
{
	struct timespec length = seconds_read(argument[0]), start, at;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		clock_gettime(CLOCK_MONOTONIC, &at);
	} while ((double)(at.tv_sec - start.tv_sec) + (double)(at.tv_nsec - start.tv_nsec) / 1e9 <
		 (double)length.tv_sec + (double)length.tv_nsec / 1e9);
	return 0;
}

int verb_burn(char **argument)
{
	for (unsigned long long left = number(argument[0]); left > 0; left--) {
		pid_t pid = fork();

		if (pid < 0)
			return -1;
		if (pid == 0)
			_exit(verb_spin(argument + 1));
	}
	while (wait(NULL) > 0)
		;
	return 0;
}

int verb_open_files(char **argument)
{
	unsigned long long wanted = number(argument[0]), made;

	for (made = 0; made < wanted; made++)
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			break;
	printf("opened %llu\n", made);
	return made == wanted ? 0 : -1;
}

static int signal_number(const char *name)
{
	if (isdigit((unsigned char)name[0]))
		return (int)number(name);
	for (int i = 1; i < NSIG; i++) {
		if (sigabbrev_np(i) && strcmp(sigabbrev_np(i), name) == 0)
			return i;
	}
	return -1; /* kill says EINVAL */
}

int verb_signal(char **argument)
{
	fflush(stdout);
	return kill(getpid(), signal_number(argument[0]));
}

int verb_ignore_term(char **argument)
{
	(void)argument;
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	return 0;
}

int verb_wait_term(char **argument)
{
	sigset_t set;
	int got;

	(void)argument;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("waiting");
	if (sigwait(&set, &got) != 0)
		return -1;
	puts("terminated");
	return 0;
}

int verb_alloc(char **argument)
{
	size_t size = number(argument[0]);
	unsigned char *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -1;
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
	printf("allocated %zu\n", size);
	return 0;
}

static void sleep_as_leftover(void)
{
	signal(SIGALRM, SIG_DFL);
	alarm(LEFTOVER_SECONDS);
	for (;;)
		pause();
}

int verb_fork(char **argument)
{
	unsigned long long wanted = number(argument[0]), made;

	fflush(stdout);
	for (made = 0; made < wanted; made++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0)
			sleep_as_leftover();
	}
	printf("forked %llu\n", made);
	return made == wanted ? 0 : -1;
}

/* The child ends at once, so that its own child has no parent. */
static int orphan_make(void (*run)(void))
{
	pid_t child = fork();

	if (child < 0)
		return -1;
	if (child > 0)
		return waitpid(child, NULL, 0) < 0 ? -1 : 0;
	if (fork() == 0)
		run();
	_exit(0);
}

static void end_at_once(void)
{
	_exit(0);
}

static int orphans_make(const char *count, void (*run)(void))
{
	fflush(stdout);
	for (unsigned long long left = number(count); left > 0; left--) {
		if (orphan_make(run) < 0)
			return -1;
	}
	return 0;
}

int verb_orphans(char **argument)
{
	return orphans_make(argument[0], sleep_as_leftover);
}

int verb_zombies(char **argument)
{
	return orphans_make(argument[0], end_at_once);
}

int verb_exec(char **argument)
{
	fflush(stdout);
	execvp(argument[0], argument);
	return -1;
}

static void process_print(const char *pid)
{
	char path[64], name[64], state;
	int parent;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return; /* ended meanwhile */
	if (fscanf(file, "%*d (%63[^)]) %c %d", name, &state, &parent) == 3)
		printf("%s %d %c %s\n", pid, parent, state, name);
	fclose(file);
}

int verb_ps(char **argument)
{
	DIR *proc = opendir("/proc");

	(void)argument;
	if (!proc)
		return -1;
	for (struct dirent *entry = readdir(proc); entry; entry = readdir(proc)) {
		if (isdigit((unsigned char)entry->d_name[0]))
			process_print(entry->d_name);
	}
	closedir(proc);
	return 0;
}
