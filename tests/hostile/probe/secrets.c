/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, environments, shared memory and files of others; see hostile.h and bait.c. */
#include "hostile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECRET "HOSTILE_SECRET="

static struct verdict session_key(void)
{
	return by_result(syscall(SYS_keyctl, KEYCTL_SEARCH, (long)KEY_SPEC_SESSION_KEYRING, "user",
				 "hostile-bait", 0L));
}

static int has_secret(const char *path)
{
	char block[16384];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, block, sizeof(block));

	if (fd >= 0)
		close(fd);
	return n > 0 && memmem(block, (size_t)n, SECRET, strlen(SECRET));
}

/* In any process that can be seen. */
static struct verdict environment(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char path[300];

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/environ", entry->d_name);
		if (strcmp(entry->d_name, "thread-self") != 0 && has_secret(path)) {
			closedir(dir);
			return succeeded("%s", path);
		}
	}
	if (dir)
		closedir(dir);
	errno = ENOENT;
	return denied();
}

/* By the name that it has on the host, from the root and from every directory that is open. */
static struct verdict host_file(void)
{
	const char *path = host_value("secret");

	if (!path)
		return absent("no file to look for");
	for (int fd = 3; fd < 64; fd++)
		if (openat(fd, path + 1, O_RDONLY | O_CLOEXEC) >= 0)
			return succeeded("%s from descriptor %d", path, fd);
	return by_open(path, O_RDONLY);
}

static struct verdict shared_memory(void)
{
	const char *id = host_value("shm");

	if (!id)
		return absent("no shared memory to look for");
	return (intptr_t)shmat(atoi(id), NULL, SHM_RDONLY) == -1 ? denied() : succeeded("%s", id);
}

static struct verdict queue(void)
{
	const char *name = host_value("queue");

	return name ? by_result(mq_open(name, O_RDONLY)) : absent("no queue to look for");
}

static const struct probe list[] = {
	{"secret-key", "60", "a key of who started it", "seccomp,keyring", session_key, {0}},
	{"secret-environment",
	 "24",
	 "the environment of who started it",
	 "environment",
	 environment,
	 {0}},
	{"secret-file",
	 "32,35",
	 "a file of the host by its name",
	 "fds,landlock,userns",
	 host_file,
	 {0}},
	{"ipc-memory", "60", "shared memory of the host", "ipcns", shared_memory, {0}},
	{"ipc-queue", "60", "a message queue of the host", "ipcns", queue, {0}},
};
const struct family family_secrets = {list, ARRAY_SIZE(list)};
