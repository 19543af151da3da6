/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of files that reach further than the files: what cannot be removed at the end, what
 * an overlay believes, whose quota is used; see hostile.h.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

/* In the copy-on-write view of the install, whose upper half lies on the host's disk. */
static int make_file(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 32);
	char *slash;

	if (n < 0)
		return -1;
	path[n] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash, 32, "/../attributes.%d", getpid());
	return open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
}

/* For whoever cannot make one there: a user who does not own the install. */
static struct verdict no_file(void)
{
	errno = EACCES;
	return denied();
}

static struct verdict set_flag(const char *directory, unsigned flag)
{
	char path[512];
	int fd, flags = 0, none = 0;
	struct verdict verdict;

	snprintf(path, sizeof(path), "%s", directory ? directory : "");
	fd = directory ? mkstemp(path) : make_file(path, sizeof(path));
	if (fd < 0)
		return no_file();
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		flags = 0;
	flags |= (int)flag;
	verdict = by_result(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	if (verdict.kind == VERDICT_SUCCEEDED)
		ioctl(fd, FS_IOC_SETFLAGS, &none);
	unlink(path);
	return verdict;
}

static struct verdict immutable(void)
{
	return set_flag(NULL, FS_IMMUTABLE_FL);
}

static struct verdict immutable_tmp(void)
{
	char path[] = "/tmp/immutable.XXXXXX";

	return set_flag(path, FS_IMMUTABLE_FL);
}

static struct verdict set_attribute(const char *name, const char *value)
{
	char path[512];
	int fd = make_file(path, sizeof(path));
	struct verdict verdict;

	if (fd < 0)
		return no_file();
	verdict = by_result(fsetxattr(fd, name, value, strlen(value), 0));
	unlink(path);
	return verdict;
}

/* What an overlay looks for in its upper half: another place of the lower one. */
static struct verdict redirect(void)
{
	return set_attribute("trusted.overlay.redirect", "/");
}

static struct verdict trusted(void)
{
	return set_attribute("trusted.hostile", "x");
}

static struct verdict project(void)
{
	struct fsxattr attributes = {0};
	char path[512];
	int fd = make_file(path, sizeof(path));
	struct verdict verdict;

	if (fd < 0)
		return no_file();
	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
		return denied();
	attributes.fsx_projid = 4711;
	verdict = by_result(ioctl(fd, FS_IOC_FSSETXATTR, &attributes));
	unlink(path);
	return verdict;
}

static const struct probe list[] = {
	{"file-immutable",
	 "32",
	 "a file that nobody can remove, of the install",
	 "caps,userns",
	 immutable,
	 {0}},
	{"file-immutable-tmp", "32", "the same in /tmp", "caps,userns", immutable_tmp, {0}},
	{"file-redirect",
	 "56,63",
	 "another place for the overlay to look at",
	 POWER,
	 redirect,
	 {0}},
	{"file-trusted", "63", "an attribute of the host's root", POWER, trusted, {0}},
	{"file-project",
	 "32",
	 "another project, and so another quota",
	 "seccomp,caps,userns",
	 project,
	 {0}},
};
const struct family family_files = {list, ARRAY_SIZE(list)};
