/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a process enters the root that was made for it; see inside.h. pivot_root(2) looks at every
 * thread of the host, for one that stands in the old root. A mount namespace that has nothing in
 * it, a copy of which the root is put on, needs no such search.
 */
#include "rootfs/applying.h"
#include "rootfs/mount.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* pivot_root(2), "pivot_root(".", ".")": the old root ends up on top and is dropped from there. */
static int pivot(int root, struct error *err)
{
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return error_set(err, errno, "cannot enter the new root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return error_set(err, errno, "cannot leave the old root");
	return 0;
}

/* What is beneath the root then is the empty directory, and nobody inside may take the root off. */
static int enter_on(int root)
{
	cleanup_fd int beneath = -1;
	int r;

	if (unshare(CLONE_NEWNS) < 0)
		return -errno;
	beneath = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = beneath < 0 ? -errno : mount_attach(root, beneath);
	if (r < 0)
		return r;
	return fchdir(root) < 0 || chroot(".") < 0 || chdir("/") < 0 ? -errno : 0;
}

int root_enter(int root, int empty, struct error *err)
{
	cleanup_fd int copy = empty < 0 ? -1 : mount_clone(root, "", 0);
	int r;

	/* until then nothing has changed */
	if (copy < 0 || setns(empty, CLONE_NEWNS) < 0)
		return pivot(root, err);
	r = enter_on(copy);
	return r < 0 ? error_set(err, -r, "cannot enter the new root") : 0;
}
