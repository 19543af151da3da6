/* SPDX-License-Identifier: Apache-2.0 */
/* What hello keeps on disk, all of it below its install directory: log, identity, counter. */
#include "hello.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void utc_now(char *buffer, size_t size, const char *format)
{
	time_t seconds = time(NULL);
	struct tm parts;

	gmtime_r(&seconds, &parts);
	if (strftime(buffer, size, format, &parts) == 0)
		buffer[0] = '\0';
}

void say(struct hello *hello, const char *format, ...)
{
	char line[1024], date[32];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	utc_now(date, sizeof(date), "%FT%TZ");
	printf("hello: %s\n", line);
	fprintf(hello->log, "%s %s\n", date, line);
	fflush(hello->log);
}

int complain(const char *format, ...)
{
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	fprintf(stderr, "hello: %s\n", line);
	return -1;
}

int home_open(struct hello *hello)
{
	ssize_t n = readlink("/proc/self/exe", hello->home_path, sizeof(hello->home_path) - 1);

	if (n < 0)
		return complain("cannot read '/proc/self/exe': %s", strerror(errno));
	hello->home_path[n] = '\0';
	for (int i = 0; i < 2; i++) {
		char *slash = strrchr(hello->home_path, '/');

		if (slash && slash > hello->home_path)
			*slash = '\0';
	}
	hello->home = open(hello->home_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (hello->home < 0)
		return complain("cannot open '%s': %s", hello->home_path, strerror(errno));
	return 0;
}

int log_open(struct hello *hello)
{
	int fd;

	mkdirat(hello->home, "logs", 0755);
	fd = openat(hello->home, "logs/server.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		    0644);
	hello->log = fd < 0 ? NULL : fdopen(fd, "a");
	if (!hello->log)
		return complain("cannot write '%s/logs/server.log': %s", hello->home_path,
				strerror(errno));
	return 0;
}

/* Replaces a small state file. */
static int state_write(const struct hello *hello, const char *path, const char *text)
{
	int fd = openat(hello->home, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (n < 0)
		complain("cannot write '%s/%s': %s", hello->home_path, path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* Reads the first word of a state file. Returns whether there is one. */
static bool state_read(const struct hello *hello, const char *path, char *word, size_t size)
{
	int fd = openat(hello->home, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, word, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	word[n] = '\0';
	word[strcspn(word, "\n")] = '\0';
	return true;
}

int uuid_load(struct hello *hello)
{
	unsigned char r[16];
	char line[sizeof(hello->uuid) + 1];

	if (state_read(hello, "config/uuid", hello->uuid, sizeof(hello->uuid)))
		return 0;
	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return complain("no random numbers: %s", strerror(errno));
	r[6] = (r[6] & 0x0f) | 0x40;
	r[8] = (r[8] & 0x3f) | 0x80;
	snprintf(hello->uuid, sizeof(hello->uuid),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1],
		 r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14],
		 r[15]);
	snprintf(line, sizeof(line), "%s\n", hello->uuid);
	return state_write(hello, "config/uuid", line);
}

void requests_load(struct hello *hello)
{
	char word[24];

	if (state_read(hello, "logs/requests", word, sizeof(word)))
		hello->requests = strtoull(word, NULL, 10);
}

void requests_save(struct hello *hello)
{
	char line[24];

	hello->save_at = UNSET;
	snprintf(line, sizeof(line), "%llu\n", hello->requests);
	state_write(hello, "logs/requests", line);
}
