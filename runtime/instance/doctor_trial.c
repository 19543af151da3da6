/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor tries: namespaces, an overlay, the directories; see doctor.h. */
#include "instance/own_ids.h"
#include "instance/probing.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/filesystem.h"
#include "base/text.h"
#include "rootfs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#define LITTLE_SPACE (1ULL << 30)
#define NO_SPACE (32ULL << 20)

/* Runs act in a child process that ends with it. Returns what it returned: 0 or -1 to -255. */
static int in_child(int (*act)(const void *data), const void *data)
{
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0)
		_exit(-act(data) & 0xff);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

static const struct kind {
	const char *name;
	int flag;
} kinds[] = {
	{"pid", CLONE_NEWPID}, {"mnt", CLONE_NEWNS},  {"net", CLONE_NEWNET},
	{"uts", CLONE_NEWUTS}, {"ipc", CLONE_NEWIPC}, {"cgroup", CLONE_NEWCGROUP},
};

static int try_namespace(const void *data)
{
	const struct kind *kind = data;

	return unshare(kind->flag) < 0 ? -errno : 0;
}

void doctor_probe_namespaces(const struct site *site, struct doctor_report *report)
{
	cleanup_text struct text good = {0};

	(void)site;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		cleanup_free char *path = xasprintf("/proc/self/ns/%s", kinds[i].name);
		int r = 0;

		if (access(path, F_OK) < 0)
			r = -ENOSYS;
		else if (geteuid() == 0)
			r = in_child(try_namespace, &kinds[i]);
		if (r == 0)
			text_addf(&good, "%s%s", good.length ? ", " : "", kinds[i].name);
		else
			doctor_addf(report, DOCTOR_MISSING, "namespaces",
				    "use a kernel, or a container, that has and allows them",
				    "no new %s namespace: %s", kinds[i].name, strerror(-r));
	}
	if (good.length)
		doctor_addf(report, DOCTOR_OK, "namespaces", NULL, "%s", good.data);
}

void doctor_probe_own_ids(const struct site *site, struct doctor_report *report)
{
	cleanup_free char *place = doctor_existing(site->state_path);
	char *directories[] = {place, NULL};
	struct error err = {0};

	if (geteuid() != 0)
		return;
	if (own_ids_possible(&site->config.ids, directories, &err) == 0)
		doctor_addf(report, DOCTOR_OK, "user ids", NULL,
			    "a user namespace for each instance, owners mapped on '%s'", place);
	else
		doctor_add(report, DOCTOR_MISSING, "user ids", err.text,
			   "or accept instances without a user namespace, with --best-effort");
}

/* As the instances' own overlays are made. */
static int mount_trial(int top)
{
	cleanup_free char *options = NULL;
	cleanup_fd int lower = openat(top, "lower", O_PATH | O_CLOEXEC);
	cleanup_fd int upper = openat(top, "upper", O_PATH | O_CLOEXEC);
	cleanup_fd int work = openat(top, "work", O_PATH | O_CLOEXEC);
	cleanup_fd int at = openat(top, "at", O_PATH | O_CLOEXEC);
	cleanup_fd int made = -1;

	if (lower < 0 || upper < 0 || work < 0 || at < 0)
		return -errno;
	options = xasprintf("lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,"
			    "workdir=/proc/self/fd/%d,redirect_dir=on,index=off,metacopy=off,"
			    "volatile",
			    lower, upper, work);
	made = mount_new("overlay", options, 0);
	return made < 0 ? made : mount_attach(made, at);
}

/* Some file systems give a read-only overlay, or one that cannot rename, without a word. */
static int try_overlay(const void *data)
{
	cleanup_fd int top = -1;
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	/* layers must be reached through mounts of the own namespace */
	top = file_open_directory(AT_FDCWD, data);
	r = top < 0 ? top : mount_trial(top);
	if (r == 0)
		r = file_write(top, "at/file", "new\n", 0600);
	if (r == 0 &&
	    (unlinkat(top, "at/old", 0) < 0 || renameat(top, "at/dir", top, "at/moved") < 0))
		r = -errno;
	return r;
}

static int make_trial(int top)
{
	static const char *const directories[] = {"lower", "lower/dir", "upper", "work", "at"};

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (mkdirat(top, directories[i], 0700) < 0)
			return -errno;
	return file_write(top, "lower/old", "old\n", 0600);
}

static int run_trial(const char *place)
{
	cleanup_free char *path = xasprintf("%s/.stint-doctor-XXXXXX", place);
	cleanup_fd int top = -1;
	int r;

	if (!mkdtemp(path))
		return -errno;
	top = file_open_directory(AT_FDCWD, path);
	r = top < 0 ? top : make_trial(top);
	if (r == 0)
		r = in_child(try_overlay, path);
	file_remove_tree(AT_FDCWD, path);
	return r;
}

void doctor_probe_overlay(const struct site *site, struct doctor_report *report)
{
	cleanup_free char *place = doctor_existing(site->state_path);
	int r;

	if (geteuid() != 0)
		return;
	r = run_trial(place);
	if (r == 0)
		doctor_addf(report, DOCTOR_OK, "overlay", NULL,
			    "works on '%s', with renamed directories", place);
	else if (r == -ENODEV)
		doctor_add(report, DOCTOR_MISSING, "overlay",
			   "the kernel has no overlay file system", "modprobe overlay");
	else
		doctor_addf(report, DOCTOR_MISSING, "overlay",
			    "keep the state directory on a local disk with ext4, XFS or Btrfs",
			    "does not work on '%s': %s", place, strerror(-r));
}

void doctor_probe_disk(const struct site *site, struct doctor_report *report)
{
	cleanup_free char *place = doctor_existing(site->state_path);
	char size[32], unknown[FILE_SYSTEM_NAME_SIZE];
	const char *name;
	struct statfs fs;
	uint64_t space;

	if (statfs(place, &fs) < 0) {
		doctor_addf(report, DOCTOR_MISSING, "disk", NULL, "cannot look at '%s': %s", place,
			    strerror(errno));
		return;
	}
	space = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	format_size(space, size, sizeof(size));
	name = file_system_name(&fs, unknown);
	if (space < NO_SPACE || space < LITTLE_SPACE)
		doctor_addf(report, space < NO_SPACE ? DOCTOR_MISSING : DOCTOR_NOTE, "disk",
			    "make room: what instances write and log goes there",
			    "only %s free at '%s' (%s)", size, place, name);
	else
		doctor_addf(report, DOCTOR_OK, "disk", NULL, "%s free at '%s' (%s)", size, place,
			    name);
}

void doctor_probe_run_directory(const struct site *site, struct doctor_report *report)
{
	cleanup_free char *place = doctor_existing(site->run_path);
	cleanup_fd int fd = -1;

	if (geteuid() != 0)
		return;
	fd = open(place, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		doctor_addf(report, DOCTOR_OK, "run directory", NULL,
			    "'%s' takes files without a name", place);
	else
		doctor_addf(report, DOCTOR_MISSING, "run directory", "mount a tmpfs on '/run'",
			    "'%s' does not take files without a name: %s", place, strerror(errno));
}
