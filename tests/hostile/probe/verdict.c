/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts, and what the attempts know of the test around them; see hostile.h. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 2000

struct verdict denied(void)
{
	return (struct verdict){.kind = VERDICT_DENIED, .errnum = errno};
}

struct verdict succeeded(const char *format, ...)
{
	struct verdict verdict = {.kind = VERDICT_SUCCEEDED};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
	va_end(arguments);
	return verdict;
}

struct verdict reached(const char *format, ...)
{
	struct verdict verdict = {.kind = VERDICT_REACHED};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
	va_end(arguments);
	return verdict;
}

struct verdict absent(const char *why)
{
	struct verdict verdict = {.kind = VERDICT_ABSENT};

	snprintf(verdict.text, sizeof(verdict.text), "%s", why);
	return verdict;
}

struct verdict by_result(long result)
{
	return result < 0 ? denied() : succeeded("%ld", result);
}

struct verdict by_call(long result)
{
	if (result < 0 && errno != EPERM && errno != ENOSYS)
		return reached("%s", strerrorname_np(errno));
	return by_result(result);
}

struct verdict by_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return denied();
	close(fd);
	return succeeded("%s", path);
}

/* The file is part of the install that the test made. */
static FILE *open_host_file(void)
{
	char program[PATH_MAX], path[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (n < 0)
		return NULL;
	program[n] = '\0';
	*strrchr(program, '/') = '\0';
	snprintf(path, sizeof(path), "%s/../host", program);
	return fopen(path, "re");
}

const char *host_value(const char *key)
{
	static char line[256];
	FILE *file = open_host_file();
	size_t n = strlen(key);

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, n) != 0 || line[n] != '=')
			continue;
		line[strcspn(line, "\n")] = '\0';
		fclose(file);
		return line + n + 1;
	}
	if (file)
		fclose(file);
	return NULL;
}

unsigned rounds(void)
{
	const char *text = getenv("HOSTILE_ROUNDS");

	return text ? (unsigned)strtoul(text, NULL, 10) : ROUNDS;
}
