/* SPDX-License-Identifier: Apache-2.0 */
/* Processes of the host; see hostile.h and bait.c. */
#include "hostile.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROCESSES "pidns,caps,userns"

static pid_t bait(void)
{
	const char *pid = host_value("pid");

	return pid ? atoi(pid) : -1;
}

/* The same number may be one of the instance's own processes: the name must be the bait's. */
static int is_there(pid_t pid)
{
	char path[64], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (file) {
		if (!fgets(name, sizeof(name), file))
			name[0] = '\0';
		fclose(file);
	}
	return strcmp(name, "hostile-bait\n") == 0;
}

static struct verdict see(void)
{
	pid_t pid = bait();

	return is_there(pid) ? succeeded("process %d", pid) : denied();
}

/* Signal 0 asks for the right to send another. */
static struct verdict send_signal(void)
{
	return by_result(kill(bait(), 0));
}

static struct verdict open_process(void)
{
	return by_result(syscall(SYS_pidfd_open, bait(), 0));
}

/* Unlike attaching, this does not stop it. */
static struct verdict trace(void)
{
	return by_result(ptrace(PTRACE_SEIZE, bait(), NULL, NULL));
}

static struct verdict read_memory(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", bait());
	return by_open(path, O_RDONLY);
}

static struct verdict priority(void)
{
	return by_result(setpriority(PRIO_PROCESS, (id_t)bait(), 0));
}

static struct verdict root_of(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root/", bait());
	return by_open(path, O_RDONLY | O_DIRECTORY);
}

static const struct probe list[] = {
	{"process-see", "1,54", "a process of the host in /proc", "pidns", see, {0}},
	{"process-open", "54", "pidfd_open of it", "pidns", open_process, {0}},
	{"process-signal", "54", "signal it", "pidns,userns,landlock", send_signal, {0}},
	{"process-trace", "51", "trace it", "seccomp,pidns,caps,userns,landlock", trace, {0}},
	{"process-memory", "51", "its memory", "pidns,caps,userns,landlock", read_memory, {0}},
	{"process-root", "1", "its root", "pidns,caps,userns,landlock", root_of, {0}},
	{"process-priority", "54", "its priority", PROCESSES, priority, {0}},
};
const struct family family_signals = {list, ARRAY_SIZE(list)};
