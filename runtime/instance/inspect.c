/* SPDX-License-Identifier: Apache-2.0 */
/* Look first, then open; see inspect.h. In commands that read an instance's files. */
#include "instance/inspect.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

int inspect_open(int dirfd, const char *name, struct stat *ret_st)
{
	cleanup_fd int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	*ret_st = st;
	return steal_fd(&fd);
}

void found_close(struct found *found)
{
	cleanup_close(&found->fd);
}

int inspect_find(int dirfd, const char *name, struct found *ret_found)
{
	int fd = dirfd < 0 ? -ENOENT : inspect_open(dirfd, name, &ret_found->st);

	ret_found->fd = fd < 0 ? -1 : fd;
	return fd < 0 && fd != -ENOENT ? fd : 0;
}

int inspect_names(int fd, char ***ret_names)
{
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;
	size_t n = 0, size = 0;
	char **names = NULL;
	int opened = inspect_reopen(fd, O_RDONLY | O_DIRECTORY);

	if (opened < 0)
		return opened;
	dir = fdopendir(opened);
	if (!dir) {
		close(opened);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (n + 1 >= size) {
			size = size ? 2 * size : 64;
			names = xrealloc(names, size, sizeof(char *));
		}
		names[n++] = xstrdup(entry->d_name);
		names[n] = NULL;
	}
	*ret_names = names;
	return 0;
}

int inspect_reopen(int fd, int flags)
{
	cleanup_free char *self = xasprintf("/proc/self/fd/%d", fd);
	struct stat st;
	int opened;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -EINVAL;
	opened = open(self, flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return opened < 0 ? -errno : opened;
}

int inspect_readlink(int fd, char **ret_target)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	*ret_target = xstrdup(target);
	return 0;
}

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202
#endif

bool inspect_is_kernel_view(int fd)
{
	static const uint64_t kinds[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC,	  CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
		DEBUGFS_MAGIC,	  TRACEFS_MAGIC,  SECURITYFS_MAGIC,   DEVPTS_SUPER_MAGIC,
		BPF_FS_MAGIC,	  EFIVARFS_MAGIC, NSFS_MAGIC,	      BINFMTFS_MAGIC,
		MQUEUE_MAGIC,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((uint64_t)fs.f_type == kinds[i])
			return true;
	return false;
}
