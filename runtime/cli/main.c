/* SPDX-License-Identifier: Apache-2.0 */
/* The program: finds the command, parses, runs. */
#include "cli/caller.h"
#include "cli/commands.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

static int unknown_command(const char *name)
{
	const char *names[64] = {0};
	const char *near;
	struct error err;
	size_t n = 0;

	for (size_t i = 0; commands[i] && n + 1 < ARRAY_SIZE(names); i++)
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

static int refuse(const struct command *command, const struct error *err)
{
	int status = report(err);

	return command->usage_exit ? command->usage_exit : status;
}

/* A reader that has seen enough is no failure; a full disk is. */
static int finish_output(void)
{
	if (fflush(stdout) == 0 || errno == EPIPE)
		return 0;
	fprintf(stderr, "stint: cannot write the output, but all else is done: %s\n",
		strerror(errno));
	return ERROR_FAILED;
}

int main(int argc, char **argv)
{
	const char *name = command_name(argc, argv);
	const struct command *command = command_find(name);
	char *about[] = {(char *)name, NULL};
	struct invocation invocation;
	struct caller caller;
	struct error err = {0};
	int status, count = argc > 2 ? argc - 2 : 0;
	char **words = argv + (argc > 2 ? 2 : argc);

	open_stdio();
	openlog("stint", LOG_PERROR, LOG_DAEMON);
	/* a reader that goes away must not take an instance with it that is just being started */
	signal(SIGPIPE, SIG_IGN);
	/* inherited as ignored, children could not be waited for */
	signal(SIGCHLD, SIG_DFL);
	if (!command)
		return unknown_command(name);
	if (caller_find(&caller, &err) < 0)
		return refuse(command, &err);
	setlocale(LC_TIME, "");
	if (asks_for_help(argc, argv)) {
		command = &help_command;
		count = 1;
		words = about;
	}
	if (invocation_parse(command, count, words, &invocation, &err) < 0 ||
	    caller_check(&caller, &invocation, &err) < 0) {
		status = refuse(command, &err);
	} else {
		invocation.caller = &caller;
		status = command->run(&invocation);
	}
	invocation_deinit(&invocation);
	return status ? status : finish_output();
}
