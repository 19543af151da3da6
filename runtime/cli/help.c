/* SPDX-License-Identifier: Apache-2.0 */
/* stint help: from the tables, for people and as the source of stint(1). */
#include "cli/commands.h"
#include "cli/output.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

static const char *const exit_codes[][2] = {
	{"0", "done"},
	{"1", "failed"},
	{"2", "wrong usage"},
	{"3", "no such instance or template"},
	{"4", "an instance of that name exists"},
	{"5", "refused by a rule"},
	{"6", "the server was not ready in time"},
	{"125", "run and exec: stint itself failed"},
	{"126, 127", "exec: the command cannot be executed, does not exist inside"},
	{"128+N", "ended by signal N"},
};

static void print_overview(void)
{
	struct table table = {.columns = 2};

	puts("stint - throwaway copies of a server that is installed once, with a deadline\n");
	puts("usage: stint COMMAND [OPERAND...] [OPTION...]\n");
	for (size_t i = 0; commands[i]; i++) {
		if (commands[i]->hidden)
			continue;
		table_addf(&table, "  %s", commands[i]->name);
		table_add(&table, commands[i]->summary);
	}
	table_print(&table);
	puts("\n'stint help COMMAND' tells more; exit codes are in stint(1).");
}

/* Greedy fill at 78 columns. */
static void print_paragraph(const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column && column + 1 + n > 78) {
			putchar('\n');
			column = 0;
		}
		printf("%s%.*s", column ? " " : "", (int)n, text);
		column += n + (column > 0);
		text += n;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static char *option_text(const struct option_spec *spec)
{
	struct text text = {0};

	if (spec->letter)
		text_addf(&text, "-%c, ", spec->letter);
	text_addf(&text, "--%s", spec->name);
	if (spec->argument)
		text_addf(&text, " %s", spec->argument);
	return text_take(&text);
}

/* A piece that is not broken: up to the next alternative, or to what may be left out. */
static size_t usage_piece(const char *text, bool alternatives)
{
	size_t n;
	int depth = 0;

	for (n = 0; text[n]; n++) {
		depth += (text[n] == '[') - (text[n] == ']');
		if (n > 0 && text[n] == ' ' && depth == 0 &&
		    (alternatives ? text[n - 1] == '|' : text[n + 1] == '['))
			break;
	}
	return n;
}

static void print_usage(const struct command *command)
{
	const char *text = command->usage;
	int indent = printf("usage: stint %s", command->name);
	size_t column = (size_t)indent;

	while (*text) {
		size_t n = usage_piece(text, strstr(command->usage, " | "));

		if (column > (size_t)indent && column + 1 + n > 78) {
			printf("\n%*s", indent, "");
			column = (size_t)indent;
		}
		printf(" %.*s", (int)n, text);
		column += 1 + n;
		text += n + (text[n] == ' ');
	}
	putchar('\n');
}

static void print_command(const struct command *command)
{
	struct table table = {.columns = 2};

	print_usage(command);
	putchar('\n');
	print_paragraph(command->description ? command->description : command->summary);
	for (const struct option_spec *spec = option_specs; spec->name; spec++) {
		cleanup_free char *text = NULL;

		if (command_option(command, spec->name, strlen(spec->name)) != spec)
			continue;
		text = option_text(spec);
		table_addf(&table, "  %s", text);
		table_add(&table, spec->summary);
	}
	if (table.n)
		putchar('\n');
	table_print(&table);
}

/* mdoc(7): a leading dot, quote or dash would be a request, a backslash an escape. */
static void man_text(const char *text)
{
	bool line_begins = true;

	for (; *text; text++) {
		if (line_begins && strchr(".'-", *text))
			fputs("\\&", stdout);
		line_begins = *text == ' ' && text[-1] == '.'; /* a sentence, a line */
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(line_begins ? '\n' : *text);
	}
	putchar('\n');
}

static bool has_options(const struct command *command)
{
	return command->options && *command->options;
}

static void man_command(const struct command *command)
{
	printf(".It Nm Cm %s Ar %s\n", command->name, *command->usage ? command->usage : "\\&");
	man_text(command->description ? command->description : command->summary);
	if (!has_options(command))
		return;
	puts(".Bl -tag -width Ds -compact");
	for (const struct option_spec *spec = option_specs; spec->name; spec++) {
		cleanup_free char *text = NULL;

		if (command_option(command, spec->name, strlen(spec->name)) != spec)
			continue;
		text = option_text(spec);
		fputs(".It ", stdout);
		man_text(text);
		man_text(spec->summary);
	}
	puts(".El");
}

static void print_man(void)
{
	puts(".\\\" Made by \"stint help --man\" from the tables of the program.");
	puts(".Dd November 22, 2026\n.Dt STINT 1\n.Os");
	puts(".Sh NAME\n.Nm stint\n.Nd throwaway copies of a server, with a deadline");
	puts(".Sh SYNOPSIS\n.Nm\n.Ar COMMAND\n.Op Ar OPERAND ...\n.Op Ar OPTION ...");
	puts(".Sh DESCRIPTION\n.Nm\ngives a server that is installed once on this host a stint: a "
	     "copy of\nits own, in its own Linux namespaces, with its own network and a "
	     "copy-on-write\nview of the shared install.\nAt its deadline it is gone and nothing "
	     "of "
	     "it is left.\nTemplates are described in\n.Xr stint-template 5 .");
	puts(".Sh COMMANDS\n.Bl -tag -width Ds");
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			man_command(commands[i]);
	puts(".El\n.Sh ENVIRONMENT\n.Bl -tag -width Ds");
	puts(".It Ev STINT_ROOT\nFor root only: a directory below which configuration, state and "
	     "run-time\nfiles are kept instead of the places below.");
	puts(".It Ev SUDO_UID\nWhen root was reached through sudo, the owner of what is started.\n"
	     "Members of the group stint who come through sudo are restricted: templates by\n"
	     "name, their own instances, within a quota.");
	puts(".El\n.Sh FILES\n.Bl -tag -width Ds");
	puts(".It Pa /etc/stint/stint.yaml\nThe configuration of this host: ids, addresses, "
	     "control "
	     "group, quotas.");
	puts(".It Pa /etc/stint/templates\nTemplates of this host; they come before the built-in "
	     "ones.");
	puts(".It Pa /var/lib/stint\nThe store and the copy-on-write layers of instances.");
	puts(".It Pa /run/stint\nSockets, locks and status files.\n.El");
	puts(".Sh EXIT STATUS\n.Bl -tag -width Ds");
	for (size_t i = 0; i < ARRAY_SIZE(exit_codes); i++)
		printf(".It %s\n%s\n", exit_codes[i][0], exit_codes[i][1]);
	puts(".El\n.Sh SEE ALSO\n.Xr stint-template 5");
}

static int run_help(const struct invocation *invocation)
{
	const struct command *command = NULL;
	struct error err;

	if (invocation->options.man) {
		print_man();
		return 0;
	}
	if (invocation->n_args == 0) {
		print_overview();
		return 0;
	}
	command = command_find(invocation->args[0]);
	if (!command) {
		error_say(&err, ERROR_USAGE, "there is no command '%s'; see 'stint help'",
			  invocation->args[0]);
		return report(&err);
	}
	print_command(command);
	return 0;
}

const struct command help_command = {
	.name = "help",
	.usage = "[COMMAND]",
	.options = "man",
	.summary = "explain the commands",
	.max_args = 1,
	.run = run_help,
};
