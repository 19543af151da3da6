/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what should not be there; see leaks.h. In "stint doctor --leaks --fix". */
#include "instance/leaks.h"
#include "instance/leaks_look.h"
#include "instance/disk.h"
#include "instance/sweep.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

static int remove_mount(const struct site *site, const char *path, struct error *err)
{
	(void)site;
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return error_set(err, errno, "cannot unmount '%s'", path);
	return 0;
}

static int remove_loop(const struct site *site, const char *path, struct error *err)
{
	cleanup_fd int fd = open(path, O_RDWR | O_CLOEXEC);

	(void)site;
	if (fd < 0 || (ioctl(fd, LOOP_CLR_FD, 0) < 0 && errno != ENXIO))
		return error_set(err, errno, "cannot detach '%s'", path);
	return 0;
}

/* What stands in a group is killed by the sweep; here those that only hold files of an instance. */
static int remove_process(const struct site *site, const char *name, struct error *err)
{
	char whose[INSTANCE_ID_LENGTH + 1];
	pid_t pid = (pid_t)strtol(name, NULL, 10);
	cleanup_fd int pidfd = process_pidfd_open(pid);
	int r = 0;

	/* the number may be another's by now */
	if (pidfd >= 0 && leaks_is_our_process(site, pid, whose, sizeof(whose)))
		r = process_pidfd_signal(pidfd, SIGKILL);
	return r < 0 && r != -ESRCH ? error_set(err, -r, "cannot kill process %s", name) : 0;
}

static int remove_zone_files(const struct site *site, const char *path, struct error *err)
{
	cleanup_free char *zones = xasprintf("%s/zone/", site->run_path);
	int r = 0;

	if (strncmp(path, zones, strlen(zones)) == 0)
		r = file_remove_tree(site->run, path + strlen(site->run_path) + 1);
	return r < 0 ? error_set(err, -r, "cannot remove '%s'", path) : 0;
}

static int remove_quota(const struct site *site, const char *name, struct error *err)
{
	int r = disk_forget_quota(site, (uint32_t)strtoul(name, NULL, 10));

	return r < 0 ? error_set(err, -r, "cannot clear the quota of project %s", name) : 0;
}

/*
 * Everything else the sweep knows. It comes before processes are killed that only hold files: it
 * writes down why an instance has ended.
 */
static const struct removal {
	const char *sort;
	bool after_sweep;
	int (*remove)(const struct site *site, const char *name, struct error *err);
} removals[] = {
	{"mount", false, remove_mount},		 {"loop device", false, remove_loop},
	{"directory", false, remove_zone_files}, {"quota", false, remove_quota},
	{"process", true, remove_process},
};

static int remove_one(const struct site *site, const struct leak *leak, bool after_sweep,
		      struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(removals); i++)
		if (removals[i].after_sweep == after_sweep &&
		    strcmp(leak->sort, removals[i].sort) == 0)
			return removals[i].remove(site, leak->name, err);
	return 0;
}

/* Backwards: what was mounted last is unmounted first. */
static int remove_each(const struct site *site, const struct leak_list *leaks, bool after_sweep,
		       struct error *err)
{
	int r = 0;

	for (size_t i = leaks->n; i-- > 0;) {
		int one = remove_one(site, &leaks->list[i], after_sweep, err);

		r = one < 0 ? one : r;
	}
	return r;
}

int leaks_remove(const struct site *site, const struct leak_list *leaks, struct error *err)
{
	struct sweep_result result;
	int r = remove_each(site, leaks, false, err), swept, killed;

	swept = site_sweep(site, true, &result, err);
	if (swept < 0)
		return swept;
	killed = remove_each(site, leaks, true, err);
	if (result.left > 0)
		return -EBUSY;
	return r < 0 ? r : killed;
}
