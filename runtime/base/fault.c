/* SPDX-License-Identifier: Apache-2.0 */
/* Faults on demand; see fault.h. In every process of a test build, and in no other. */
#include "base/fault.h"

#ifdef STINT_FAULTS
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST "list:"

static int list_fd = -1;

static const struct {
	const char *name;
	int code;
} errors[] = {
	{"ENOSPC", ENOSPC}, {"EMFILE", EMFILE}, {"ENOMEM", ENOMEM},
	{"EPERM", EPERM},   {"EINTR", EINTR},	{"ENOBUFS", ENOBUFS},
};

void fault_list_to(int fd)
{
	list_fd = fd;
}

static void list_point(const char *file, const char *point)
{
	int fd = list_fd >= 0 ? list_fd
			      : open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0)
		return;
	dprintf(fd, "point %s\n", point);
	if (fd != list_fd)
		close(fd);
}

/* The first process of a namespace gets no such signal from inside. */
static void die(void)
{
	if (getpid() == 1)
		_exit(137);
	raise(SIGKILL);
}

static void stop(void)
{
	if (getpid() != 1)
		raise(SIGSTOP);
	while (getpid() == 1)
		pause();
}

int fault_at(const char *point, struct error *err)
{
	const char *wish = getenv("STINT_FAULT"), *fault;
	size_t length = strlen(point);

	if (!wish)
		return 0;
	if (strncmp(wish, LIST, strlen(LIST)) == 0)
		list_point(wish + strlen(LIST), point);
	if (strncmp(wish, point, length) != 0 || wish[length] != ':')
		return 0;
	fault = wish + length + 1;
	if (strcmp(fault, "kill") == 0)
		die();
	else if (strcmp(fault, "stop") == 0)
		stop();
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (strcmp(errors[i].name, fault) == 0)
			return error_set(err, errors[i].code, "%s: a fault on demand", point);
	return 0;
}

int fault_at_part(const char *what, const char *name, struct error *err)
{
	cleanup_free char *point = xasprintf("%s %s", what, name);

	return fault_at(point, err);
}
#endif
