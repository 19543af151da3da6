/* SPDX-License-Identifier: Apache-2.0 */
/* Look first, then open; see inspect.h. In commands that read an instance's files. */
#include "instance/inspect.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
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
