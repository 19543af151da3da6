/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: the payload of the system tests. It runs inside a sandbox as the server and reports what
 * it sees there, or does one of the things that a server may do and a sandbox must survive.
 *
 *	probe VERB [ARGUMENT]... [VERB [ARGUMENT]...]...
 *
 * Verbs are carried out in order, each with as many arguments as the table in probe.c says
 * ("probe" alone lists them). The first that fails ends the run with status 1 and one line on
 * standard error: "probe: VERB ARGUMENT: ENOENT (No such file or directory)".
 *
 * Linked to nothing but the C library, and statically where that is possible.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include <stddef.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Gets the verb's arguments. 0, or -1 with errno. */
typedef int probe_verb(char **argument);

/* A decimal number, or the end of the process with a sentence. */
unsigned long long number(const char *text);
/* One "key=value" line; newlines, backslashes and control characters of value are escaped. */
void report_line(const char *value, const char *key, ...) __attribute__((format(printf, 2, 3)));

probe_verb verb_report;

/* process.c: what a process does to itself and to others */
probe_verb verb_exit, verb_sleep, verb_signal, verb_alloc, verb_fork, verb_orphans, verb_zombies,
	verb_ps, verb_ignore_term, verb_wait_term, verb_exec, verb_spin, verb_burn, verb_open_files;

/* system.c: files, output, terminal */
probe_verb verb_write, verb_append, verb_read, verb_ls, verb_stat, verb_rename, verb_remove,
	verb_mkdir, verb_symlink, verb_fill, verb_print, verb_error, verb_spam, verb_longline,
	verb_copy, verb_terminal, verb_mount, verb_env, verb_read_direct;

/* caller.c */
probe_verb verb_strange;

/* network.c */
probe_verb verb_tcp_listen, verb_connect, verb_unix_listen, verb_unix_connect;

/* "key=NUMBER", or "key=!ERRNO" for -1 with errno. */
void report_number(const char *key, long long value);
void report_failure(const char *key);

/* The report's part about interfaces and addresses. */
void report_network(void);
/* The report's part about resource limits, processors and scheduling. */
void report_bounds(void);

#endif
