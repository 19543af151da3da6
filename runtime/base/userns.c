/* SPDX-License-Identifier: Apache-2.0 */
/* User namespaces; see userns.h. In commands that look at the host, in the keeper and in init. */
#include "base/userns.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

bool userns_map_add(struct userns_map *map, uint32_t id)
{
	if (id < USERNS_SIZE)
		return true;
	for (uint32_t i = 0; i < map->n_foreign; i++)
		if (map->foreign[i] == id)
			return true;
	if (map->n_foreign == USERNS_FOREIGN_MAX)
		return false;
	map->foreign[map->n_foreign++] = id;
	return true;
}

/* Below nobody's number there is room for the foreign ones, from this id on. */
static uint32_t first_replaced(const struct userns_map *map)
{
	return USERNS_NOBODY - map->n_foreign;
}

uint32_t userns_host_id(const struct userns_map *map, uint32_t inside)
{
	if (!map->base)
		return inside;
	for (uint32_t i = 0; i < map->n_foreign; i++)
		if (map->foreign[i] == inside)
			return map->base + first_replaced(map) + i;
	if (inside < first_replaced(map) || (inside >= USERNS_NOBODY && inside < USERNS_SIZE))
		return map->base + inside;
	return map->base + USERNS_NOBODY;
}

static char *write_map(const struct userns_map *map)
{
	uint32_t replaced = first_replaced(map);
	struct text text = {0};

	text_addf(&text, "0 %u %u\n", map->base, replaced);
	for (uint32_t i = 0; i < map->n_foreign; i++)
		text_addf(&text, "%u %u 1\n", map->foreign[i], map->base + replaced + i);
	text_addf(&text, "%u %u %u\n", USERNS_NOBODY, map->base + USERNS_NOBODY,
		  USERNS_SIZE - USERNS_NOBODY);
	return text_take(&text);
}

static int poke_map(pid_t pid, const char *file, const struct userns_map *map, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/%s", pid, file);
	cleanup_free char *lines = write_map(map);
	int r = file_poke(AT_FDCWD, path, lines);

	return r < 0 ? error_set(err, -r, "cannot write the ids of a user namespace") : 0;
}

static int set_up(pid_t pid, const struct userns_map *uids, const struct userns_map *gids,
		  int *ret_fd, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/ns/user", pid);
	int r = poke_map(pid, "uid_map", uids, err);

	if (r == 0)
		r = poke_map(pid, "gid_map", gids, err);
	if (r < 0)
		return r;
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? error_set(err, errno, "cannot open a user namespace") : 0;
}

/*
 * What is counted for each user (inotify, pending signals, locked memory, message queues) is also
 * counted for the owner of the namespace, who is whoever makes it. That must not be root, nor the
 * same for two instances: one of them could use up what all have.
 */
static int make_own(uid_t uid, gid_t gid)
{
	/* the change of ids would take the right to make namespaces with it */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0)
		return -errno;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	return unshare(CLONE_NEWUSER) < 0 ? -errno : 0;
}

/* A namespace comes with a process; this one only waits until the descriptor keeps it. */
static void make_and_wait(int channel, uid_t uid, gid_t gid)
{
	int r = make_own(uid, gid);
	char byte;

	if (write(channel, &r, sizeof(r)) == (ssize_t)sizeof(r))
		(void)!read(channel, &byte, 1);
	_exit(0);
}

static int say_why(int errnum, struct error *err)
{
	if (errnum == EINVAL)
		return error_say(err, ERROR_FAILED,
				 "cannot make a user namespace: this kernel has none");
	if (errnum != ENOSPC)
		return error_set(err, errnum, "cannot make a user namespace");
	error_say(err, ERROR_FAILED,
		  "cannot make a user namespace: the host allows no more of them; raise "
		  "'sysctl user.max_user_namespaces'");
	return error_with_code(err, -ENOSPC);
}

int userns_make(const struct userns_map *uids, const struct userns_map *gids, int *ret_fd,
		struct error *err)
{
	int channel[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
		return error_set(err, errno, "cannot make a socket pair");
	pid = fork();
	if (pid == 0) {
		close(channel[0]);
		make_and_wait(channel[1], uids->base, gids->base);
	}
	close(channel[1]);
	if (pid < 0)
		r = error_set(err, errno, "cannot fork");
	else if (read(channel[0], &r, sizeof(r)) != (ssize_t)sizeof(r))
		r = say_why(EIO, err);
	else
		r = r < 0 ? say_why(-r, err) : set_up(pid, uids, gids, ret_fd, err);
	close(channel[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return r;
}

int userns_enter(int fd, struct error *err)
{
	if (setns(fd, CLONE_NEWUSER) < 0)
		return error_set(err, errno, "cannot enter the user namespace");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_set(err, errno, "cannot become root of the user namespace");
	return 0;
}
