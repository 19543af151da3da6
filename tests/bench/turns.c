/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs commands in turns, so that what else the machine does hits all of them alike, and prints how
 * long each run took. For scripts/bench alone.
 *
 *   turns ROUNDS [fixed] <LIST  a line of LIST: "whole", "first" or "quiet", a mount namespace's
 *                               file or "-", NAME, COMMAND, ARGUMENT..., separated by tabs
 *
 * Prints "NAME<tab>MILLISECONDS" for each run: until the command has ended, or until the moment
 * that its output names ("first NANOSECONDS", tests/bench/first.c); nothing for one that is quiet.
 * The first round is not counted; every other one runs backwards, unless the order is fixed. A
 * command that fails is dropped, with "NAME<tab>failed" and its words on standard error; a minute
 * is the longest that one may take.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTENDERS_MAX 64
#define ARGUMENTS_MAX 64
#define BOUND_S 60
#define PAUSE_US 30000 /* the kernel takes networks apart after their end */

struct contender {
	bool until_first, quiet, dropped;
	int mounts; /* -1: ours */
	char *name, *argv[ARGUMENTS_MAX];
};

static void die(const char *what)
{
	fprintf(stderr, "turns: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void become(const struct contender *contender, int out)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (contender->mounts >= 0 && setns(contender->mounts, CLONE_NEWNS) < 0)
		_exit(126);
	dup2(null, 0);
	dup2(out, 1);
	/* of the command, whatever it becomes: a command that hangs must not make us hang */
	alarm(BOUND_S);
	execvp(contender->argv[0], contender->argv);
	_exit(127);
}

/* The moment that is named in what the command has written, or -1. */
static long long read_first(FILE *out)
{
	char line[512];
	long long first = -1;

	rewind(out);
	while (fgets(line, sizeof(line), out)) {
		const char *word = strstr(line, "first ");

		if (word)
			first = strtoll(word + strlen("first "), NULL, 10);
	}
	return first;
}

/* Nanoseconds, or -1. */
static long long run(const struct contender *contender)
{
	FILE *out = tmpfile();
	long long begin, end;
	int status = 0;
	pid_t pid;

	if (!out)
		die("temporary file");
	fflush(stdout);
	begin = now_ns();
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		become(contender, fileno(out));
	waitpid(pid, &status, 0);
	end = now_ns();
	if (contender->until_first)
		end = read_first(out);
	fclose(out);
	return !WIFEXITED(status) || WEXITSTATUS(status) ? -1 : end < begin ? -1 : end - begin;
}

static void take_turn(struct contender *contender, bool counts)
{
	long long ns = run(contender);

	if (ns < 0) {
		contender->dropped = true;
		printf("%s\tfailed\n", contender->name);
	} else if (counts && !contender->quiet) {
		printf("%s\t%.3f\n", contender->name, (double)ns / 1e6);
	}
	usleep(PAUSE_US);
}

static void parse(char *line, struct contender *contender)
{
	char *kind = strsep(&line, "\t"), *mounts;
	size_t n = 0;

	contender->until_first = strcmp(kind, "first") == 0;
	contender->quiet = strcmp(kind, "quiet") == 0;
	mounts = strsep(&line, "\t");
	contender->name = strsep(&line, "\t");
	contender->mounts = -1;
	if (mounts && strcmp(mounts, "-") != 0)
		contender->mounts = open(mounts, O_RDONLY | O_CLOEXEC);
	while (line && n < ARGUMENTS_MAX - 1)
		contender->argv[n++] = strsep(&line, "\t");
	if (!n) {
		errno = EINVAL;
		die("a line without a command");
	}
}

int main(int argc, char **argv)
{
	static struct contender contenders[CONTENDERS_MAX];
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	bool fixed = argc > 2 && strcmp(argv[2], "fixed") == 0;
	char *line = NULL;
	size_t size = 0, n = 0;
	ssize_t length;

	while (n < CONTENDERS_MAX && (length = getline(&line, &size, stdin)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (length > 1)
			parse(strdup(line), &contenders[n++]);
	}
	free(line);
	/* whoever comes after another in one round does not in the next */
	for (long round = 0; round <= rounds; round++)
		for (size_t i = 0; i < n; i++) {
			size_t turn = round % 2 && !fixed ? n - 1 - i : i;

			if (!contenders[turn].dropped)
				take_turn(&contenders[turn], round > 0);
		}
	return 0;
}
