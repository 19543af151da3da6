/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server does to those who serve it, for at most a minute: it stops every process that is
 * about to be executed beside it, and writes more to its log than it spends on that.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SPOIL_S 60
#define PIPE_SIZE (1 << 20)

static int is_time(void)
{
	static time_t until;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!until)
		until = now.tv_sec + SPOIL_S;
	return now.tv_sec < until;
}

int stop_others(void)
{
	while (is_time())
		for (int i = 0; i < 10000; i++)
			kill(-1, SIGSTOP);
	return 0;
}

/* Pages that are written once, and handed on by reference: that costs next to nothing. */
int flood_output(const char *length)
{
	static char page[4096];
	int pair[2], size = atoi(length);

	if (size < 1 || size > (int)sizeof(page) || pipe2(pair, O_NONBLOCK) < 0)
		return 2;
	(void)fcntl(pair[1], F_SETPIPE_SZ, PIPE_SIZE);
	(void)fcntl(1, F_SETPIPE_SZ, PIPE_SIZE);
	memset(page, 'x', sizeof(page));
	for (size_t i = (size_t)size - 1; i < sizeof(page); i += (size_t)size)
		page[i] = '\n';
	while (write(pair[1], page, sizeof(page)) > 0)
		;
	(void)fcntl(pair[0], F_SETFL, 0);
	while (is_time())
		if (tee(pair[0], 1, PIPE_SIZE, 0) < 0 && errno != EINTR)
			return 1;
	return 0;
}
