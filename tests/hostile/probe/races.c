/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner half of races: what runs inside while commands outside work on the instance, until it
 * is killed; see races.bats.
 */
#include "hostile.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXCHANGE 2U

int exchange_names(const char *a, const char *b)
{
	if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, EXCHANGE) < 0) {
		perror("renameat2");
		return 1;
	}
	for (;;)
		syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, EXCHANGE);
}

/* What a process that still is init, on its way to an exec, would give away. */
static const char *const parts[] = {"exe", "root/", "cwd/", "fd/0", "fd/3", "mem", "environ"};

/* A program of this instance's own is no catch: stint's is told by its name. */
static int is_foreign(pid_t pid)
{
	char path[64], name[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, name, sizeof(name) - 1);
	if (n < 0)
		return 0;
	name[n] = '\0';
	return strstr(name, "stint-keeper") != NULL;
}

static int reach_for(pid_t pid)
{
	char path[64];

	if (!is_foreign(pid))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, parts[i]);
		if (by_open(path, O_RDONLY).kind == VERDICT_SUCCEEDED) {
			printf("race-exec SUCCEEDED %s\n", path);
			return 1;
		}
	}
	return 0;
}

/* Numbers of processes count up: the next ones are tried over and over. */
int watch_processes(void)
{
	for (pid_t last = getpid();;) {
		for (pid_t pid = last + 1; pid < last + 4; pid++) {
			char path[32];

			if (reach_for(pid)) {
				fflush(stdout);
				return 1;
			}
			snprintf(path, sizeof(path), "/proc/%d", pid);
			if (access(path, F_OK) == 0 && pid > last + 2)
				last = pid - 1;
		}
		if (reach_for(1))
			return 1;
	}
}
