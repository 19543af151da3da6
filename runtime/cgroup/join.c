/* SPDX-License-Identifier: Apache-2.0 */
/* Joining groups by descriptor; see inside.h. In the keeper's child, init and its children. */
#include "cgroup/inside.h"

#include <errno.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_v2(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

int cgroup_join_others(const int *fds, size_t n, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (!is_v2(fds[i]))
			r = cgroup_join(&fds[i], 1, err);
	return r;
}

bool cgroup_is_directory(int fd)
{
	struct stat st;

	return is_v2(fd) && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Whatever it is that this kernel, or a filter around us, does not like: fork can do without. */
pid_t cgroup_fork(int directory, bool *ret_inside)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)directory};
	pid_t pid;

	*ret_inside = true;
	pid = directory < 0 ? -1 : (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid >= 0)
		return pid;
	*ret_inside = false;
	return fork();
}

int cgroup_join(const int *fds, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (pwrite(fds[i], "0", 1, 0) < 0)
			return error_set(err, errno, "cannot join a control group");
	return 0;
}
