/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of hostile-probe, and each attempt in a process of its own; see hostile.h. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ATTEMPT_MS 20000

static const struct family *const families[] = {
	&family_descriptors, &family_proc,    &family_capabilities, &family_setid,
	&family_groups,	     &family_ids,     &family_calls,	    &family_mounts,
	&family_sockets,     &family_network, &family_terminals,    &family_secrets,
	&family_signals,     &family_kernel,  &family_files,	    &family_shared,
};
static int inherited = -1;

int first_inherited(void)
{
	return inherited;
}

static struct verdict attempt(const struct probe *probe)
{
	const long *c = probe->call;

	if (probe->run)
		return probe->run();
	errno = 0;
	return by_call(syscall(c[0], c[1], c[2], c[3], c[4], c[5], c[6]));
}

static void attempt_in_child(const struct probe *probe, int writer)
{
	struct verdict verdict;

	setsid();
	verdict = attempt(probe);
	(void)!write(writer, &verdict, sizeof(verdict));
	_exit(0);
}

/* A process that gave no answer was ended for what it tried, or hangs. */
static struct verdict read_verdict(int reader, pid_t pid)
{
	struct pollfd wait = {.fd = reader, .events = POLLIN};
	struct verdict verdict = {.kind = VERDICT_DENIED};
	int n = poll(&wait, 1, ATTEMPT_MS), status = 0;

	if (n > 0)
		n = read(reader, &verdict, sizeof(verdict)) == (ssize_t)sizeof(verdict);
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (n > 0)
		return verdict;
	if (WIFSIGNALED(status))
		snprintf(verdict.text, sizeof(verdict.text), "SIG%s",
			 sigabbrev_np(WTERMSIG(status)));
	return verdict;
}

static void print_verdict(const char *name, const struct verdict *verdict)
{
	static const char *const kinds[] = {"denied", "SUCCEEDED", "reached", "absent"};
	const char *text = verdict->text;

	if (text[0] == '\0')
		text = verdict->errnum ? strerrorname_np(verdict->errnum) : "without an error";
	printf("%s %s %s\n", name, kinds[verdict->kind], text);
}

static void run(const struct probe *probe)
{
	struct verdict verdict;
	int channel[2];
	pid_t pid;

	fflush(stdout);
	if (pipe2(channel, O_CLOEXEC) < 0)
		exit(2);
	pid = fork();
	if (pid < 0)
		exit(2);
	if (pid == 0)
		attempt_in_child(probe, channel[1]);
	close(channel[1]);
	verdict = read_verdict(channel[0], pid);
	close(channel[0]);
	print_verdict(probe->name, &verdict);
}

/* "with:WORDS" are the probes that bite when exactly those are taken out. */
static int is_meant(const struct probe *probe, const char *argument)
{
	if (strncmp(argument, "with:", 5) == 0)
		return strcmp(probe->weaken, argument + 5) == 0;
	return strcmp(argument, "all") == 0 || strcmp(argument, probe->name) == 0;
}

static void list(const struct probe *probe)
{
	printf("%s\t%s\t%s\t%s\n", probe->name, probe->row, probe->weaken, probe->what);
}

static int each_probe(char **arguments)
{
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		for (size_t j = 0; j < families[i]->n; j++) {
			const struct probe *probe = &families[i]->list[j];

			if (!arguments)
				list(probe);
			for (char **word = arguments; word && *word; word++)
				if (is_meant(probe, *word)) {
					run(probe);
					n++;
				}
		}
	}
	return arguments && n == 0 ? 2 : 0;
}

/* Before anything is opened. */
static void find_inherited(void)
{
	for (int fd = 3; fd < 1024 && inherited < 0; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			inherited = fd;
}

static int run_list(char **words)
{
	(void)words;
	return each_probe(NULL);
}

static int run_wait(char **words)
{
	(void)words;
	return pause();
}

static int run_bait(char **words)
{
	(void)words;
	return offer_bait();
}

static int run_whoami(char **words)
{
	(void)words;
	return print_identity();
}

static int run_exchange(char **words)
{
	return exchange_names(words[0], words[1]);
}

static int run_watch(char **words)
{
	(void)words;
	return watch_processes();
}

static int run_sweep(char **words)
{
	return sweep_calls(words[0]);
}

static int run_stop(char **words)
{
	(void)words;
	return stop_others();
}

static int run_flood(char **words)
{
	return flood_output(words[0]);
}

static const struct verb {
	const char *name, *words;
	int n; /* of words; -1: at least one */
	int (*run)(char **words);
} verbs[] = {
	{"list", "", 0, run_list},
	{"run", "all|with:WORDS|NAME...", -1, each_probe},
	{"wait", "", 0, run_wait},
	{"whoami", "", 0, run_whoami},
	{"sweep", "TABLE", 1, run_sweep},
	{"exchange", "PATH PATH", 2, run_exchange},
	{"watch", "", 0, run_watch},
	{"bait", "", 0, run_bait},
	{"stop", "", 0, run_stop},
	{"flood", "LENGTH", 1, run_flood},
	{"with-key", "COMMAND...", -1, execute_with_key},
	{"deaf", "COMMAND...", -1, execute_deaf},
};

static int usage(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(stderr, "usage: hostile-probe %s %s\n", verbs[i].name, verbs[i].words);
	return 2;
}

int main(int argc, char **argv)
{
	find_inherited();
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++)
		if (strcmp(argv[1], verbs[i].name) == 0 &&
		    (verbs[i].n < 0 ? argc > 2 : argc - 2 == verbs[i].n))
			return verbs[i].run(argv + 2);
	return usage();
}
