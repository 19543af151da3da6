/* SPDX-License-Identifier: Apache-2.0 */
/* The program: finds the command, parses, runs. */
#include "cli/commands.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

const struct command *const commands[] = {
	&up_command,	&run_command,	  &ls_command,	     &show_command,    &logs_command,
	&exec_command,	&shell_command,	  &extend_command,   &cp_command,      &down_command,
	&diff_command,	&plan_command,	  &template_command, &history_command, &doctor_command,
	&sweep_command, &version_command, &help_command,     &reap_command,    NULL,
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

int report(const struct error *err)
{
	fflush(stdout);
	fprintf(stderr, "stint: %s\n", err->text);
	return err->kind ? (int)err->kind : ERROR_FAILED;
}

static int unknown_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands)] = {0};
	const char *near;
	struct error err;
	size_t n = 0;

	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			names[n++] = commands[i]->name;
	near = nearest_word(name, names);
	if (near)
		error_say(&err, ERROR_USAGE, "unknown command '%s'; did you mean '%s'?", name,
			  near);
	else
		error_say(&err, ERROR_USAGE, "unknown command '%s'; see 'stint help'", name);
	return report(&err);
}

/* Standard streams that the caller closed would become some other file's numbers. */
static void open_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd < 3 && fcntl(fd, F_SETFD, 0) == 0);
	if (fd >= 3)
		close(fd);
}

static const char *command_name(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return "help";
	if (strcmp(argv[1], "--version") == 0)
		return "version";
	return argv[1];
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const char *name = command_name(argc, argv);
	const struct command *command = command_find(name);
	char *about[] = {(char *)name, NULL};
	struct invocation invocation;
	struct error err = {0};
	int status, count = argc > 2 ? argc - 2 : 0;
	char **words = argv + (argc > 2 ? 2 : argc);

	open_stdio();
	/* a reader that goes away must not take an instance with it that is just being started */
	signal(SIGPIPE, SIG_IGN);
	/* inherited as ignored, children could not be waited for */
	signal(SIGCHLD, SIG_DFL);
	setlocale(LC_TIME, "");
	if (!command)
		return unknown_command(name);
	if (asks_for_help(argc, argv)) {
		command = &help_command;
		count = 1;
		words = about;
	}
	if (invocation_parse(command, count, words, &invocation, &err) < 0) {
		status = report(&err);
		status = command->usage_exit ? command->usage_exit : status;
	} else {
		status = command->run(&invocation);
	}
	invocation_deinit(&invocation);
	if (fflush(stdout) != 0 && errno != EPIPE && status == 0)
		status = ERROR_FAILED;
	return status;
}
