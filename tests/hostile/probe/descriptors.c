/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors and directories of the host's that were left open; see hostile.h. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS 256

static struct verdict more_than_three(void)
{
	if (first_inherited() >= 0)
		return succeeded("descriptor %d is open", first_inherited());
	errno = EBADF;
	return denied();
}

static bool is_other_root(const struct stat *st)
{
	struct stat root;

	return stat("/", &root) == 0 && S_ISDIR(st->st_mode) &&
	       (st->st_dev != root.st_dev || st->st_ino != root.st_ino);
}

/* Through a directory of the host's, ".." leads to its root and not to the instance's. */
static struct verdict climb(void)
{
	for (int fd = 3; fd < DESCRIPTORS; fd++) {
		struct stat st;
		int top = openat(fd, "../../../../../../../..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (top < 0)
			continue;
		if (fstat(top, &st) == 0 && is_other_root(&st))
			return succeeded("descriptor %d leads out", fd);
		close(top);
	}
	errno = EBADF;
	return denied();
}

/* A working directory named by a descriptor that somebody forgot. */
static struct verdict directory_by_descriptor(void)
{
	char path[64];
	struct stat st;

	for (int fd = 3; fd < DESCRIPTORS; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (chdir(path) == 0 && stat(".", &st) == 0 && is_other_root(&st))
			return succeeded("%s is a working directory outside", path);
	}
	errno = ENOENT;
	return denied();
}

static struct verdict init_descriptors(void)
{
	return by_open("/proc/1/fd/0", O_RDONLY);
}

static const struct probe list[] = {
	{"fd-inherited", "1,11", "a descriptor above 2 is open", "fds", more_than_three, {0}},
	{"fd-climb", "11", "through '..' of an open directory to the host", "fds", climb, {0}},
	{"fd-working-directory",
	 "11",
	 "chdir to /proc/self/fd/N",
	 "fds",
	 directory_by_descriptor,
	 {0}},
	{"fd-of-init", "1,37", "open /proc/1/fd/0", "dumpable,caps", init_descriptors, {0}},
};
const struct family family_descriptors = {list, ARRAY_SIZE(list)};
