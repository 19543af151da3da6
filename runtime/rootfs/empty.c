/* SPDX-License-Identifier: Apache-2.0 */
/* Mount namespaces with nothing in them; see rootfs.h. In commands. */
#include "rootfs/applying.h"
#include "rootfs/mount.h"
#include "rootfs/rootfs.h"
#include "base/apart.h"
#include "base/cleanup.h"
#include "base/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

static int send_empty(void *data, struct error *err)
{
	cleanup_fd int root = -1, at = -1, own = -1;
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_set(err, errno, "cannot make a mount namespace");
	root = mount_new("tmpfs", "mode=0555,size=4k,nr_inodes=2",
			 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				 MOUNT_ATTR_NOEXEC);
	at = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	r = root < 0 ? root : at < 0 || own < 0 ? -errno : mount_attach(root, at);
	if (r < 0)
		return error_set(err, -r, "cannot make an empty root");
	r = root_enter(root, -1, err);
	if (r < 0)
		return r;
	r = socket_send(*(int *)data, "", 1, &own, 1);
	return r < 0 ? error_set(err, -r, "cannot give the mount namespace away") : 0;
}

int rootfs_open_empty(struct error *err)
{
	int pair[2], fds[SOCKET_FDS_MAX] = {-1}, r;
	size_t n = 0;
	char byte;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set(err, errno, "cannot make a socket pair");
	r = apart_run(send_empty, &pair[1], -1, err);
	if (r == 0 && (socket_receive(pair[0], &byte, 1, fds, &n) < 0 || n != 1))
		r = error_set(err, EPROTO, "cannot take the mount namespace");
	close(pair[0]);
	close(pair[1]);
	return r < 0 ? r : fds[0];
}
