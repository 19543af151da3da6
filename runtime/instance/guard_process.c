/* SPDX-License-Identifier: Apache-2.0 */
/* The process that looks at a live install while instances are on it; see guard.h. */
#include "instance/guard.h"
#include "instance/background.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "store/taints.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PAUSE_NS (2 * NSEC_PER_SEC) /* at least, between two looks */
#define PAUSE_SHARE 20		    /* and so many times what the last look took of a processor */
#define SETTLE_MS 50		    /* many instances may end at once */
#define BLIND_NS (60 * NSEC_PER_SEC)
#define LOCK_BYTE 0

struct guard {
	const struct site *site;
	const char *install;
	char *path; /* of the lock file */
	int lock;
	int watch; /* inotify: an instance ended, or a directory goes; -1: nobody tells */
	int64_t blind_since_ns; /* when the store could not be read any more; 0: it can */
};

/* Nobody waits for it. */
static void step_back(void)
{
	(void)setpriority(PRIO_PROCESS, 0, 19);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		      IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

static char *lock_path(const struct site *site, const char *install)
{
	return xasprintf("%s/live/%s", site->run_path, install);
}

/* False when it lies there no more, as after the removal of the run directory. */
static bool is_named(const struct guard *guard)
{
	struct stat mine, named;

	return fstat(guard->lock, &mine) == 0 && lstat(guard->path, &named) == 0 &&
	       mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

/* -EAGAIN: somebody else is at it. */
static int take_lock(struct guard *guard)
{
	int r;

	do {
		cleanup_close(&guard->lock);
		guard->lock = open(guard->path, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
		r = guard->lock < 0 ? -errno : lock_try(guard->lock, LOCK_BYTE);
	} while (r == 0 && !is_named(guard));
	return r;
}

/*
 * Whoever ends an instance removes its lock file when it is out of the store. Where nothing tells,
 * the end is found after the next pause.
 */
static void begin_watch(struct guard *guard)
{
	cleanup_free char *locks = xasprintf("%s/lock", guard->site->run_path);

	guard->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (guard->watch < 0)
		return;
	(void)inotify_add_watch(guard->watch, locks, IN_DELETE | IN_DELETE_SELF);
	(void)inotify_add_watch(guard->watch, guard->site->state_path,
				IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
}

static int count_instances(const struct guard *guard, uint32_t *ret_instances)
{
	cleanup_store struct store *store = NULL;
	cleanup_free char *file = xasprintf("%s/store.db", guard->site->state_path);
	uint32_t tainted;
	/* not to be made by who only wants to read it */
	int r = access(file, F_OK) < 0 ? -ENOENT
				       : store_open(guard->site->state_path, &store, NULL);

	return r < 0 ? r : store_live_count(store, guard->install, ret_instances, &tainted, NULL);
}

/*
 * What cannot be read now may be a moment later. But a newer stint's store never can: then this one
 * gives way to another.
 */
static bool is_needed(struct guard *guard)
{
	uint32_t instances = 0;

	if (access(guard->site->state_path, F_OK) < 0 || access(guard->site->run_path, F_OK) < 0)
		return false;
	if (count_instances(guard, &instances) == 0) {
		guard->blind_since_ns = 0;
		return instances > 0;
	}
	if (!guard->blind_since_ns)
		guard->blind_since_ns = clock_boottime_ns();
	return clock_boottime_ns() - guard->blind_since_ns < BLIND_NS;
}

/* True when something was told. */
static bool wait_until(const struct guard *guard, int64_t until_ns)
{
	struct pollfd polled = {.fd = guard->watch, .events = POLLIN};
	int64_t left = until_ns - clock_boottime_ns();
	char events[4096];

	if (poll(&polled, 1, left > 0 ? (int)(left / NSEC_PER_MSEC) + 1 : 0) <= 0)
		return false;
	poll(NULL, 0, SETTLE_MS);
	while (read(guard->watch, events, sizeof(events)) > 0)
		;
	return true;
}

/* False when it is over. */
static bool pause_for(struct guard *guard, int64_t pause_ns)
{
	int64_t until_ns = clock_boottime_ns() + pause_ns;

	while (wait_until(guard, until_ns))
		if (!is_named(guard) || !is_needed(guard))
			return false;
	return is_named(guard) && is_needed(guard);
}

static int64_t processor_ns(void)
{
	struct timespec used = {0};

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return used.tv_sec * NSEC_PER_SEC + used.tv_nsec;
}

static void guard_until_over(struct guard *guard)
{
	int64_t used_ns = 0;

	do {
		used_ns = processor_ns();
		/* what cannot be read now is tried again */
		(void)guard_look(guard->site, guard->install, NULL, NULL);
		used_ns = (processor_ns() - used_ns) * PAUSE_SHARE;
	} while (pause_for(guard, used_ns > PAUSE_NS ? used_ns : PAUSE_NS));
}

/*
 * Who enters an instance looks at the lock after that, and who gives the lock up looks for
 * instances after that: one of them sees the other.
 */
int guard_run(const struct site *site, const char *install, struct error *err)
{
	struct guard guard = {.site = site,
			      .install = install,
			      .path = lock_path(site, install),
			      .lock = -1,
			      .watch = -1};
	int r = 0;

	step_back();
	begin_watch(&guard);
	while (r == 0 && is_needed(&guard)) {
		r = take_lock(&guard);
		if (r < 0)
			break;
		guard_until_over(&guard);
		if (is_named(&guard))
			unlink(guard.path);
		cleanup_close(&guard.lock);
	}
	if (r < 0 && r != -EAGAIN)
		error_set(err, -r, "cannot guard with '%s'", guard.path);
	cleanup_close(&guard.lock);
	cleanup_close(&guard.watch);
	free(guard.path);
	return r == -EAGAIN ? 0 : r;
}

static bool is_guarded(const struct site *site, const char *install)
{
	cleanup_free char *path = lock_path(site, install);
	cleanup_fd int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && lock_is_held(fd, LOCK_BYTE);
}

void guard_ensure(const struct site *site, char *const *installs)
{
	cleanup_free char *place = xasprintf("%s/live", site->run_path);

	for (size_t i = 0; installs && installs[i]; i++) {
		if (is_guarded(site, installs[i]) ||
		    file_make_directories(AT_FDCWD, place, 0700) < 0)
			continue;
		background_run(site, (char *[]){(char *)"guard", installs[i], NULL});
	}
}
