/* SPDX-License-Identifier: Apache-2.0 */
/* Learning of kills for want of memory; see memory.h. In the keeper. */
#include "keeper/memory.h"
#include "base/clock.h"
#include "base/text.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEARLY (64 << 10) /* the kernel kills when not even eight pages can be had */
#define LOOK_NS (2 * NSEC_PER_SEC)
#define LOOK_EVERY_NS (10 * NSEC_PER_MSEC)

short memory_watch_events(const struct memory_watch *watch)
{
	/* a control group's file is always readable: what is new about it is POLLPRI */
	return watch->version == 2 ? POLLPRI : POLLIN;
}

/* The number behind the word at a line's start; without a word, the file's only one. */
static uint64_t number_in(int fd, const char *word)
{
	char text[4096];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	size_t length = strlen(word);
	char *line = text;

	text[n > 0 ? n : 0] = '\0';
	while (line && strncmp(line, word, length) != 0) {
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return line ? strtoull(line + length, NULL, 10) : 0;
}

void memory_watch_take(struct memory_watch *watch)
{
	uint64_t times;

	if (watch->version == 1 &&
	    read(watch->event, &times, sizeof(times)) == (ssize_t)sizeof(times))
		watch->look_until_ns = clock_boottime_ns() + LOOK_NS;
	else if (watch->version == 2)
		number_in(watch->event, ""); /* a reader has seen it, and poll waits again */
}

int64_t memory_watch_next(const struct memory_watch *watch, int64_t now)
{
	return watch->look_until_ns > now ? now + LOOK_EVERY_NS : INT64_MAX;
}

bool memory_watch_killed(const struct memory_watch *watch)
{
	return watch->version && number_in(watch->count, "oom_kill ") > 0;
}

/* The group may be the victim of a lack that is not its own: of all instances', or the host's. */
static bool is_own_limit(const struct memory_watch *watch)
{
	if (!watch->limit)
		return false;
	if (watch->version == 2)
		return number_in(watch->hits, "oom ") > 0;
	return number_in(watch->hits, "") + NEARLY >= watch->limit;
}

void memory_watch_reason(const struct memory_watch *watch, char *buffer, size_t size)
{
	char limit[32];

	format_size(watch->limit, limit, sizeof(limit));
	if (is_own_limit(watch))
		snprintf(buffer, size, "out of memory (limit %s)", limit);
	else
		snprintf(buffer, size, "the kernel killed it: too little memory for all instances");
}
