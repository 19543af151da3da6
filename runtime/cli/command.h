/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and options are tables: parsing, "stint help", the man page and the tests all come
 * from them. One file per command; a command's function gets what was parsed and returns an exit
 * code (error_kind in base/error.h, 0 for done).
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define EXIT_OWN_FAILURE 125 /* of run and exec, when stint itself failed */

/* Values of all options of the table; what a command does not take stays zero. */
struct options {
	bool json, no_wait, recreate, no_hold, all, follow, timestamps, quiet, man, schema, force;
	bool once, queue, rebuild, seccomp, leaks, fix, in_full, prune, check;
	char *last, *older_than, *keep;
	char *name, *ttl, *until, *idle, *keep_failed, *user, *lines;
	char *backend, *drain, *queue_for, *every, *sort, *max_age;
	char *output, *with, *as;
	char *zone, *tier, *peers, *egress, *dns;
	char *memory, *swap, *cpus, *disk, *pids, *files, *io_read, *io_write, *log_size;
	bool best_effort, hash;
	char **publish, **set, **env, **secret, **with_layer;
};

struct caller;

struct invocation {
	const struct command *command;
	const struct caller *caller;
	struct options options;
	char **args; /* operands before "--" */
	size_t n_args;
	char **rest; /* what stands behind "--"; NULL when there was none */
};

enum option_kind { OPTION_FLAG, OPTION_STRING, OPTION_LIST };

struct option_spec {
	const char *name;     /* without "--" */
	char letter;	      /* 0: none */
	const char *argument; /* what the value is called; NULL for flags */
	enum option_kind kind;
	size_t offset; /* in struct options */
	const char *summary;
};

struct command {
	const char *name;
	const char *usage;	 /* operands, as in "NAME -- COMMAND..." */
	const char *options;	 /* names of the options it takes, separated by blanks */
	const char *summary;	 /* one line */
	const char *description; /* a paragraph or two for the man page and "help COMMAND" */
	int min_args, max_args;	 /* operands; max -1: any number */
	bool takes_rest;	 /* accepts "-- COMMAND..." */
	bool hidden;
	int usage_exit; /* exit code of a usage error, 0: 2 */
	int (*run)(const struct invocation *invocation);
};

extern const struct command *const commands[];	/* ends in NULL; in help order */
extern const struct option_spec option_specs[]; /* ends with a NULL name */

const struct command *command_find(const char *name);
/* The spec when the command takes that option. */
const struct option_spec *command_option(const struct command *command, const char *name,
					 size_t length);

bool option_is_given(const struct options *options, const struct option_spec *spec);

/*
 * Parses what stands behind the command's name. ERROR_USAGE with "did you mean" for unknown
 * options. The caller ends ret_invocation with invocation_deinit also after a failure.
 */
int invocation_parse(const struct command *command, int argc, char **argv,
		     struct invocation *ret_invocation, struct error *err);
void invocation_deinit(struct invocation *invocation);

/* Prints "stint: TEXT" to stderr and returns the exit code of the error's kind. */
int report(const struct error *err);

#endif
