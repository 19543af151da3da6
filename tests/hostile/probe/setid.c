/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that change who one is, as installs have them; see hostile.h. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What "hostile-probe whoami" says when it is executed by that name of the install. */
static int ask(const char *name, char *answer, size_t size)
{
	char program[512], *slash;
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 32);
	int channel[2];

	if (n < 0 || pipe(channel) < 0)
		return -1;
	program[n] = '\0';
	slash = strrchr(program, '/');
	snprintf(slash, 32, "/%s", name);
	if (access(program, F_OK) < 0)
		return -1;
	if (fork() == 0) {
		dup2(channel[1], 1);
		execl(program, program, "whoami", NULL);
		_exit(127);
	}
	close(channel[1]);
	n = read(channel[0], answer, size - 1);
	answer[n > 0 ? n : 0] = '\0';
	return n > 0 ? 0 : -1;
}

/* The ids of an instance's root; who has them already learns nothing. */
static struct verdict become(const char *name, const char *wanted, int has_already)
{
	char answer[64];

	errno = EPERM;
	if (!has_already && ask(name, answer, sizeof(answer)) < 0)
		return absent("it cannot be executed");
	errno = EPERM;
	return !has_already && strstr(answer, wanted) ? succeeded("%s", wanted) : denied();
}

static struct verdict user(void)
{
	return become("setuid", "user 0,", geteuid() == 0);
}

static struct verdict group(void)
{
	return become("setgid", "group 0.", getegid() == 0);
}

/* One of our own, for whoever executes it on the host: the bits hold, the owner is nobody there. */
static struct verdict on_overlay(void)
{
	struct verdict verdict = denied();
	int fd = open("/dev/shm/setid", O_CREAT | O_WRONLY | O_CLOEXEC, 0755);

	if (fd >= 0)
		verdict = by_result(fchmod(fd, 06755) < 0 ? -1 : fchown(fd, 4711, 4711));
	close(fd);
	unlink("/dev/shm/setid");
	return verdict;
}

int print_identity(void)
{
	return printf("user %u, group %u.\n", geteuid(), getegid()) < 0;
}

static const struct probe list[] = {
	{"setid-user", "32,58", "a setuid program of the install", "nosuid,nnp,seccomp", user, {0}},
	{"setid-group",
	 "32,58",
	 "a setgid program of the install",
	 "nosuid,nnp,seccomp",
	 group,
	 {0}},
	{"setid-other", "32", "a setuid program of another's", "caps", on_overlay, {0}},
};
const struct family family_setid = {list, ARRAY_SIZE(list)};
