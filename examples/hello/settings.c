/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of hello: one table for the file, the environment and the options. */
#include "hello.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* key=VALUE in config/server.cnf, HELLO_KEY in the environment, --key VALUE: the last one wins. */
static const struct {
	const char *key, *variable, *option;
	double value, max;
	const char *help;
} settings[N_SETTINGS] = {
	[PORT] = {"port", "HELLO_PORT", "--port", 5555, 65535, "listen on this port"},
	[START_SECONDS] = {"start-seconds", "HELLO_START_SECONDS", "--start-seconds", 0, 86400,
			   "take so long to start"},
	[BIND_EARLY] = {"bind-early", "HELLO_BIND_EARLY", "--bind-early", 0, 1,
			"1: listen at once, answer 503 until started"},
	[NEVER_READY] = {"never-ready", "HELLO_NEVER_READY", "--never-ready", 0, 1,
			 "1: listen, but answer 503 for ever"},
	[EXIT_AFTER] = {"exit-after", "HELLO_EXIT_AFTER", "--exit-after", UNSET, 86400,
			"end by itself after so many seconds"},
	[EXIT_STATUS] = {"exit-status", "HELLO_EXIT_STATUS", "--exit-status", 0, 255,
			 "and with this status"},
	[IGNORE_TERM] = {"ignore-term", "HELLO_IGNORE_TERM", "--ignore-term", 0, 1,
			 "1: do not end on SIGTERM"},
};

static int setting_set(struct hello *hello, size_t which, const char *name, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= 0 && value <= settings[which].max))
		return complain("%s takes a number from 0 to %.0f, not '%s'", name,
				settings[which].max, text);
	hello->setting[which] = value;
	return 0;
}

static int setting_line_read(struct hello *hello, char *line)
{
	char *equals = strchr(line, '=');

	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '#' || line[0] == '\0')
		return 0;
	if (equals) {
		*equals = '\0';
		for (size_t i = 0; i < N_SETTINGS; i++) {
			if (strcmp(line, settings[i].key) == 0)
				return setting_set(hello, i, line, equals + 1);
		}
	}
	return complain("config/server.cnf: no such setting: '%s'", line);
}

static int settings_read_file(struct hello *hello)
{
	int fd = openat(hello->home, "config/server.cnf", O_RDONLY | O_CLOEXEC), result = 0;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char line[256];

	if (!file)
		return errno == ENOENT
			       ? 0
			       : complain("cannot read 'config/server.cnf': %s", strerror(errno));
	while (result == 0 && fgets(line, sizeof(line), file))
		result = setting_line_read(hello, line);
	fclose(file);
	return result;
}

static int settings_read_environment(struct hello *hello)
{
	for (size_t i = 0; i < N_SETTINGS; i++) {
		const char *text = getenv(settings[i].variable);

		if (text && setting_set(hello, i, settings[i].variable, text) < 0)
			return -1;
	}
	return 0;
}

void settings_usage(FILE *out)
{
	fputs("usage: hello [--SETTING NUMBER]...\n", out);
	for (size_t i = 0; i < N_SETTINGS; i++)
		fprintf(out, "  %-16s %-20s %s\n", settings[i].option, settings[i].variable,
			settings[i].help);
}

static int settings_read_options(struct hello *hello, char **argv)
{
	for (char **word = argv + 1; *word; word += 2) {
		size_t i = 0;

		while (i < N_SETTINGS && strcmp(*word, settings[i].option) != 0)
			i++;
		if (i == N_SETTINGS || !word[1]) {
			settings_usage(stderr);
			return -1;
		}
		if (setting_set(hello, i, *word, word[1]) < 0)
			return -1;
	}
	return 0;
}

int settings_read(struct hello *hello, char **argv)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		hello->setting[i] = settings[i].value;
	if (settings_read_file(hello) < 0 || settings_read_environment(hello) < 0)
		return -1;
	return settings_read_options(hello, argv);
}
