/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of probe and the loop that carries them out; see probe.h. */
#include "probe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_THE_REST (-1)

static const struct verb {
	const char *name, *arguments, *help;
	int n_arguments;
	probe_verb *run;
} verbs[] = {
	{"report", "", "print key=value lines about the world", 0, verb_report},
	{"ps", "", "print pid, parent, state and name of every process", 0, verb_ps},
	{"env", "NAME", "print a variable's value; fails when it is not set", 1, verb_env},

	{"exit", "N", "end with this status", 1, verb_exit},
	{"sleep", "SECONDS", "fractions allowed", 1, verb_sleep},
	{"spin", "SECONDS", "use one processor", 1, verb_spin},
	{"signal", "SIG", "raise a signal, by name (SEGV) or number", 1, verb_signal},
	{"ignore-term", "", "ignore SIGTERM, SIGINT and SIGHUP from now on", 0, verb_ignore_term},
	{"wait-term", "", "wait for SIGTERM, then print 'terminated'", 0, verb_wait_term},
	{"alloc", "BYTES", "allocate and touch memory, keep it", 1, verb_alloc},
	{"fork", "N", "make N children that sleep; fails at the first refusal", 1, verb_fork},
	{"burn", "N SECONDS", "use N processors", 2, verb_burn},
	{"open-files", "N", "open so many files, keep them; fails at the first refusal", 1,
	 verb_open_files},
	{"orphans", "N", "leave N processes without a parent behind, asleep", 1, verb_orphans},
	{"zombies", "N", "leave N processes without a parent behind, ended", 1, verb_zombies},
	{"exec", "COMMAND...", "become another program", ALL_THE_REST, verb_exec},
	{"strange", "COMMAND...", "the same, in surroundings that no program expects", ALL_THE_REST,
	 verb_strange},

	{"write", "PATH TEXT", "replace a file's content", 2, verb_write},
	{"append", "PATH TEXT", "add to a file", 2, verb_append},
	{"fill", "PATH BYTES", "write a file of that size", 2, verb_fill},
	{"read", "PATH", "print a file", 1, verb_read},
	{"read-direct", "PATH", "read a file past the cache, print how much", 1, verb_read_direct},
	{"ls", "PATH", "print the names in a directory, sorted", 1, verb_ls},
	{"stat", "PATH", "print type, mode, owner, group and size", 1, verb_stat},
	{"rename", "A B", "rename", 2, verb_rename},
	{"remove", "PATH", "remove a file or an empty directory", 1, verb_remove},
	{"mkdir", "PATH", "make a directory", 1, verb_mkdir},
	{"symlink", "TARGET PATH", "make a symbolic link", 2, verb_symlink},
	{"mount", "PATH", "try to mount a tmpfs", 1, verb_mount},

	{"print", "TEXT", "a line on standard output", 1, verb_print},
	{"error", "TEXT", "a line on standard error", 1, verb_error},
	{"spam", "BYTES", "lines of 64 bytes on standard output", 1, verb_spam},
	{"longline", "BYTES", "one long line on standard output", 1, verb_longline},
	{"copy", "", "standard input to standard output", 0, verb_copy},
	{"terminal", "", "print 'none', or rows and columns", 0, verb_terminal},

	{"tcp-listen", "PORT", "echo what comes, for ever", 1, verb_tcp_listen},
	{"connect", "ADDRESS PORT", "connect by TCP, 5 seconds at most", 2, verb_connect},
	{"unix-listen", "@NAME", "listen on an abstract socket, until ended", 1, verb_unix_listen},
	{"unix-connect", "@NAME", "connect to an abstract socket", 1, verb_unix_connect},
};

unsigned long long number(const char *text)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] == '-') {
		fprintf(stderr, "probe: '%s' is no number\n", text);
		exit(2);
	}
	return value;
}

static int usage(void)
{
	fputs("usage: probe VERB [ARGUMENT]... [VERB [ARGUMENT]...]...\n", stderr);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(stderr, "  %-12s %-13s %s\n", verbs[i].name, verbs[i].arguments,
			verbs[i].help);
	return 2;
}

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

/* How many arguments the verb takes of those that are there, or -1: too few. */
static int arguments_count(const struct verb *verb, char **argument)
{
	int n = 0;

	while (argument[n] && (verb->n_arguments == ALL_THE_REST || n < verb->n_arguments))
		n++;
	return n < verb->n_arguments || (verb->n_arguments == ALL_THE_REST && n == 0) ? -1 : n;
}

static int complain(const struct verb *verb, char **argument)
{
	int failure = errno;

	fflush(stdout);
	fprintf(stderr, "probe: %s%s%s: %s (%s)\n", verb->name, verb->n_arguments ? " " : "",
		verb->n_arguments ? argument[0] : "", strerrorname_np(failure), strerror(failure));
	return 1;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return usage();
	for (char **word = argv + 1; *word;) {
		const struct verb *verb = verb_find(*word);
		int n = verb ? arguments_count(verb, word + 1) : -1;

		if (n < 0) {
			fprintf(stderr, "probe: not understood: '%s'\n", *word);
			return usage();
		}
		if (verb->run(word + 1) < 0)
			return complain(verb, word + 1);
		word += 1 + n;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
