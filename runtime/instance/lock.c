/* SPDX-License-Identifier: Apache-2.0 */
/* Liveness by lock; see lock.h. In every command. */
#include "instance/lock.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

static char *lock_name(const char *id)
{
	return xasprintf("lock/%s", id);
}

/* Locked first and named afterwards: nobody ever sees it unlocked before its owner is gone. */
int instance_lock_create(const struct site *site, const char *id, struct error *err)
{
	cleanup_free char *name = lock_name(id);
	cleanup_fd int fd = openat(site->run, "lock", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	cleanup_free char *self = xasprintf("/proc/self/fd/%d", fd);
	int r;

	if (fd < 0)
		return error_set(err, errno, "cannot make a lock file in '%s/lock'",
				 site->run_path);
	r = lock_try(fd, LOCK_ALIVE);
	if (r == 0 && linkat(AT_FDCWD, self, site->run, name, AT_SYMLINK_FOLLOW) < 0)
		r = -errno;
	if (r < 0)
		return error_set(err, -r, "cannot make lock file '%s/%s'", site->run_path, name);
	return steal_fd(&fd);
}

/* A keeper that has said that it is at the end is gone a fraction of a millisecond later. */
static int lock_within(int fd, int64_t byte, int64_t until)
{
	struct timespec wait = {.tv_nsec = NSEC_PER_MSEC / 8};
	int r = lock_try(fd, byte);

	while (r == -EAGAIN && clock_boottime_ns() < until) {
		nanosleep(&wait, NULL);
		if (wait.tv_nsec < 16 * NSEC_PER_MSEC)
			wait.tv_nsec *= 2;
		r = lock_try(fd, byte);
	}
	return r;
}

/* After a restart of the host the run directory is empty, and the record still there. */
static int open_or_create(const struct site *site, const char *id, struct error *err)
{
	cleanup_free char *name = lock_name(id);
	int fd;

	/* somebody else may make it, or remove it, between the two */
	do {
		fd = openat(site->run, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 && errno != ENOENT)
			return error_set(err, errno, "cannot open lock file '%s/%s'",
					 site->run_path, name);
		if (fd < 0)
			fd = instance_lock_create(site, id, err);
	} while (fd == -EEXIST);
	return fd;
}

int instance_lock_for_end(const struct site *site, const char *id, int64_t wait_ns,
			  struct error *err)
{
	cleanup_fd int fd = open_or_create(site, id, err);
	struct stat st;
	int r;

	if (fd < 0)
		return fd;
	r = lock_within(fd, LOCK_END, clock_boottime_ns() + wait_ns);
	if (r == 0)
		r = lock_within(fd, LOCK_ALIVE, clock_boottime_ns() + wait_ns);
	if (r == -EAGAIN)
		return error_set(err, EBUSY, "the keeper of '%s' does not go away", id);
	if (r < 0 || fstat(fd, &st) < 0)
		return error_set(err, r < 0 ? -r : errno, "cannot lock '%s'", id);
	if (st.st_nlink == 0)
		return error_set(err, ENOENT, "'%s' was ended meanwhile", id);
	return steal_fd(&fd);
}

void instance_lock_remove(const struct site *site, const char *id)
{
	cleanup_free char *name = lock_name(id);

	unlinkat(site->run, name, 0);
}

bool instance_is_alive(const struct site *site, const char *id)
{
	cleanup_free char *name = lock_name(id);
	cleanup_fd int fd = openat(site->run, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && lock_is_held(fd, LOCK_ALIVE);
}
