/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options and the one parser over it; see command.h. */
#include "cli/command.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

#define SPEC(field) offsetof(struct options, field)

const struct option_spec option_specs[] = {
	{"name", 'n', "NAME", OPTION_STRING, SPEC(name),
	 "name of the instance; default: a readable one is made"},
	{"ttl", 0, "DURATION", OPTION_STRING, SPEC(ttl), "how long it lives: 90s, 30m, 2h, 1d"},
	{"until", 0, "TIME", OPTION_STRING, SPEC(until), "when it ends: 18:00 or 2026-12-24T18:00"},
	{"idle", 0, "DURATION", OPTION_STRING, SPEC(idle),
	 "end it after so long without a connection or a command inside: 30m, or none"},
	{"keep-failed", 0, "DURATION", OPTION_STRING, SPEC(keep_failed),
	 "keep log and files for so long when it fails, for logs, diff and cp: 1h, or none"},
	{"publish", 'p', "HOSTPORT:NAME", OPTION_LIST, SPEC(publish),
	 "publish port NAME of the template, also as NAME or ADDRESS:HOSTPORT:NAME; default: all, "
	 "on free ports of 127.0.0.1"},
	{"set", 0, "KEY=VALUE", OPTION_LIST, SPEC(set), "set a parameter of the template"},
	{"env", 'e', "KEY=VALUE", OPTION_LIST, SPEC(env),
	 "set a variable of the server's environment"},
	{"secret", 0, "NAME=@FILE", OPTION_LIST, SPEC(secret),
	 "give the server a secret of the template, from a file, as NAME=- from standard input, or "
	 "as NAME=fd:NUMBER"},
	{"no-wait", 0, NULL, OPTION_FLAG, SPEC(no_wait),
	 "return when the server is started, not when it is ready; of replace, when the place is "
	 "taken, not when the old instance has ended"},
	{"no-hold", 0, NULL, OPTION_FLAG, SPEC(no_hold),
	 "refuse early connections instead of letting them wait"},
	{"queue", 0, NULL, OPTION_FLAG, SPEC(queue),
	 "wait, in order of arrival, while there is no room for it"},
	{"queue-for", 0, "DURATION", OPTION_STRING, SPEC(queue_for),
	 "the same for at most so long: 90s, 10m"},
	{"recreate", 0, NULL, OPTION_FLAG, SPEC(recreate),
	 "take down an instance of that name first"},
	{"memory", 0, "SIZE", OPTION_STRING, SPEC(memory),
	 "limit of memory: 512M, 2G; this and the next replace the template's limits"},
	{"swap", 0, "SIZE", OPTION_STRING, SPEC(swap), "limit of swap beyond the memory"},
	{"cpus", 0, "NUMBER", OPTION_STRING, SPEC(cpus), "limit of processors: 2, 0.5"},
	{"disk", 0, "SIZE", OPTION_STRING, SPEC(disk),
	 "limit of all that it writes, temporary files included"},
	{"pids", 0, "NUMBER", OPTION_STRING, SPEC(pids), "limit of processes and threads"},
	{"files", 0, "NUMBER", OPTION_STRING, SPEC(files), "limit of open files of one process"},
	{"io-read", 0, "SIZE", OPTION_STRING, SPEC(io_read),
	 "limit of bytes read from disk in a second"},
	{"io-write", 0, "SIZE", OPTION_STRING, SPEC(io_write),
	 "limit of bytes written to disk in a second"},
	{"log-size", 0, "SIZE", OPTION_STRING, SPEC(log_size),
	 "how much of the server's output is kept"},
	{"zone", 0, "ZONE", OPTION_STRING, SPEC(zone),
	 "network segment, in place of the template's"},
	{"tier", 0, "TIER", OPTION_STRING, SPEC(tier), "dev, sandbox, poc, training or ci"},
	{"peers", 0, "allow|deny", OPTION_STRING, SPEC(peers),
	 "whether instances of the zone may reach one another"},
	{"egress", 0, "LIST", OPTION_STRING, SPEC(egress),
	 "what they may reach outside: none, internet, or NETWORK[:PORT[/PROTOCOL]],..."},
	{"dns", 0, "LIST", OPTION_STRING, SPEC(dns),
	 "their name servers: host (the host's own), none, or ADDRESS,..."},
	{"backend", 0, "BACKEND", OPTION_STRING, SPEC(backend),
	 "how the copy is made: auto, copy, reflink, which shares blocks, or erofs, an image"},
	{"hash", 0, NULL, OPTION_FLAG, SPEC(hash),
	 "with live, add, adopt and canary: know files by a hash of what is in them, too"},
	{"output", 'o', "FILE", OPTION_STRING, SPEC(output),
	 "where to, - for standard output; default: NAME.tar.zst here"},
	{"as", 0, "TEMPLATE", OPTION_STRING, SPEC(as), "name of the new template"},
	{"with", 0, "FILE", OPTION_STRING, SPEC(with),
	 "start with what 'stint harvest' packed; - for standard input"},
	{"with-layer", 0, "DIR[:INSTALL]", OPTION_LIST, SPEC(with_layer),
	 "show what is in this directory above an install directory, as if it had been unpacked "
	 "there; a later one hides an earlier one"},
	{"drain", 0, "DURATION", OPTION_STRING, SPEC(drain),
	 "how long the old instance may serve the connections that it has; default: 30s"},
	{"max-age", 0, "DURATION", OPTION_STRING, SPEC(max_age),
	 "end a spare that nobody has claimed for so long, and start another: 12h; default: 24h"},
	{"best-effort", 0, NULL, OPTION_FLAG, SPEC(best_effort),
	 "start also where something asked for cannot be enforced; 'stint show' says what"},
	{"user", 'u', "USER", OPTION_STRING, SPEC(user),
	 "run as this user inside, with HOME and USER of that one; default: the server's"},
	{"all", 'a', NULL, OPTION_FLAG, SPEC(all), "all instances; in lists, kept ones too"},
	{"now", 0, NULL, OPTION_FLAG, SPEC(force),
	 "kill at once, without asking the server to stop"},
	{"check", 0, NULL, OPTION_FLAG, SPEC(check),
	 "look first whether live installs have changed below their instances"},
	{"follow", 'f', NULL, OPTION_FLAG, SPEC(follow), "go on printing what is added"},
	{"lines", 'n', "NUMBER", OPTION_STRING, SPEC(lines), "only the last lines"},
	{"last", 'n', "NUMBER", OPTION_STRING, SPEC(last), "how many, the newest ones"},
	{"long", 'l', NULL, OPTION_FLAG, SPEC(in_full), "each in full"},
	{"prune", 0, NULL, OPTION_FLAG, SPEC(prune),
	 "remove entries: those --older-than, or all but those to --keep"},
	{"older-than", 0, "DURATION", OPTION_STRING, SPEC(older_than),
	 "with --prune: what ended longer ago than that, 30d"},
	{"keep", 0, "NUMBER", OPTION_STRING, SPEC(keep), "with --prune: only the newest ones stay"},
	{"timestamps", 't', NULL, OPTION_FLAG, SPEC(timestamps), "the time in front of each line"},
	{"quiet", 'q', NULL, OPTION_FLAG, SPEC(quiet), "names only"},
	{"every", 0, "DURATION", OPTION_STRING, SPEC(every),
	 "how long until it is shown again: 1s, 500ms; default: 2s"},
	{"sort", 0, "COLUMN", OPTION_STRING, SPEC(sort),
	 "the order: cpu, memory, connections, bytes, left or name"},
	{"once", 0, NULL, OPTION_FLAG, SPEC(once), "print one table and end"},
	{"seccomp", 0, NULL, OPTION_FLAG, SPEC(seccomp),
	 "say which system calls are denied, and why"},
	{"rebuild", 0, NULL, OPTION_FLAG, SPEC(rebuild),
	 "set a damaged store aside and make a new one from what is on the host"},
	{"leaks", 0, NULL, OPTION_FLAG, SPEC(leaks),
	 "compare the host with the records: what is left of instances that are not there"},
	{"fix", 0, NULL, OPTION_FLAG, SPEC(fix), "remove what is left"},
	{"schema", 0, NULL, OPTION_FLAG, SPEC(schema), "the JSON schema of templates, for editors"},
	{"man", 0, NULL, OPTION_FLAG, SPEC(man), "the manual page's source"},
	{"json", 0, NULL, OPTION_FLAG, SPEC(json), "print JSON"},
	{0},
};

bool option_is_given(const struct options *options, const struct option_spec *spec)
{
	const char *field = (const char *)options + spec->offset;

	return spec->kind == OPTION_FLAG ? *(const bool *)field : *(char *const *)field != NULL;
}

static bool takes(const struct command *command, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = command->options; at && *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");

		if (length == n && strncmp(at, name, n) == 0)
			return true;
		at += length;
	}
	return false;
}

const struct option_spec *command_option(const struct command *command, const char *name,
					 size_t length)
{
	for (const struct option_spec *spec = option_specs; spec->name; spec++)
		if (strlen(spec->name) == length && strncmp(spec->name, name, length) == 0 &&
		    takes(command, spec->name))
			return spec;
	return NULL;
}

static const struct option_spec *option_of_letter(const struct command *command, char letter)
{
	for (const struct option_spec *spec = option_specs; spec->name; spec++)
		if (spec->letter == letter && takes(command, spec->name))
			return spec;
	return NULL;
}

static int unknown_option(const struct command *command, const char *text, struct error *err)
{
	cleanup_free char *word = xasprintf("%.*s", (int)strcspn(text, "="), text);
	const char *names[64] = {0};
	const char *near;
	size_t n = 0;

	for (const struct option_spec *spec = option_specs; spec->name; spec++)
		if (takes(command, spec->name) && n + 1 < ARRAY_SIZE(names))
			names[n++] = spec->name;
	near = nearest_word(word + strspn(word, "-"), names);
	if (near)
		return error_say(err, ERROR_USAGE, "unknown option '%s'; did you mean '--%s'?",
				 text, near);
	return error_say(err, ERROR_USAGE, "unknown option '%s'; see 'stint help %s'", text,
			 command->name);
}

static int store_value(struct options *options, const struct option_spec *spec, const char *value,
		       struct error *err)
{
	char *field = (char *)options + spec->offset;

	if (spec->kind == OPTION_FLAG) {
		*(bool *)field = true;
	} else if (spec->kind == OPTION_LIST) {
		strv_add((char ***)field, value);
	} else {
		if (*(char **)field)
			return error_say(err, ERROR_USAGE, "option '--%s' was given twice",
					 spec->name);
		*(char **)field = xstrdup(value);
	}
	return 0;
}

struct parsing {
	const struct command *command;
	int argc, at;
	char **argv;
	struct invocation *invocation;
};

/* An option's value: attached, or the next word. */
static int take_value(struct parsing *p, const struct option_spec *spec, const char *attached,
		      struct error *err)
{
	const char *value = attached;

	if (spec->kind == OPTION_FLAG && attached)
		return error_say(err, ERROR_USAGE, "option '--%s' takes no value", spec->name);
	if (spec->kind != OPTION_FLAG && !value) {
		if (p->at + 1 >= p->argc)
			return error_say(err, ERROR_USAGE, "option '--%s' needs a value: %s",
					 spec->name, spec->argument);
		value = p->argv[++p->at];
	}
	return store_value(&p->invocation->options, spec, value, err);
}

static int take_option(struct parsing *p, struct error *err)
{
	const char *word = p->argv[p->at];
	const struct option_spec *spec;
	size_t length;

	if (word[1] != '-') {
		spec = option_of_letter(p->command, word[1]);
		if (!spec)
			return unknown_option(p->command, word, err);
		return take_value(p, spec, word[2] ? word + 2 : NULL, err);
	}
	length = strcspn(word + 2, "=");
	spec = command_option(p->command, word + 2, length);
	if (!spec)
		return unknown_option(p->command, word, err);
	return take_value(p, spec, word[2 + length] ? word + 3 + length : NULL, err);
}

static int check_operands(const struct command *command, const struct invocation *invocation,
			  struct error *err)
{
	int n = (int)invocation->n_args;

	if (n < command->min_args || (command->max_args >= 0 && n > command->max_args))
		return error_say(err, ERROR_USAGE, "usage: stint %s %s", command->name,
				 command->usage);
	return 0;
}

int invocation_parse(const struct command *command, int argc, char **argv,
		     struct invocation *ret_invocation, struct error *err)
{
	struct parsing p = {
		.command = command, .argc = argc, .argv = argv, .invocation = ret_invocation};

	*ret_invocation =
		(struct invocation){.command = command, .args = xcalloc(1, sizeof(char *))};
	for (; p.at < argc; p.at++) {
		const char *word = argv[p.at];
		int r = 0;

		if (strcmp(word, "--") == 0) {
			if (!command->takes_rest)
				return error_say(err, ERROR_USAGE, "usage: stint %s %s",
						 command->name, command->usage);
			ret_invocation->rest = strv_copy(argv + p.at + 1);
			break;
		}
		if (word[0] == '-' && word[1])
			r = take_option(&p, err);
		else
			strv_add(&ret_invocation->args, word);
		if (r < 0)
			return r;
	}
	ret_invocation->n_args = strv_length(ret_invocation->args);
	return check_operands(command, ret_invocation, err);
}

void invocation_deinit(struct invocation *invocation)
{
	for (const struct option_spec *spec = option_specs; spec->name; spec++) {
		char *field = (char *)&invocation->options + spec->offset;

		if (spec->kind == OPTION_LIST)
			strv_cleanup((char ***)field);
		else if (spec->kind == OPTION_STRING)
			cleanup_free_pointer(field);
	}
	strv_cleanup(&invocation->args);
	strv_cleanup(&invocation->rest);
}
