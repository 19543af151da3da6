/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts, roots, devices: the whole family, old and new; see hostile.h. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

static struct verdict mount_type(const char *type)
{
	char point[] = "/tmp/mount.XXXXXX";
	struct verdict verdict;

	if (!mkdtemp(point))
		return denied();
	verdict = by_result(mount("none", point, type, 0, NULL));
	umount2(point, MNT_DETACH);
	rmdir(point);
	return verdict;
}

static struct verdict mount_tmpfs(void)
{
	return mount_type("tmpfs");
}

static struct verdict mount_proc(void)
{
	return mount_type("proc");
}

static struct verdict bind(void)
{
	char point[] = "/tmp/bind.XXXXXX";
	struct verdict verdict;

	if (!mkdtemp(point))
		return denied();
	verdict = by_result(mount("/usr", point, NULL, MS_BIND, NULL));
	umount2(point, MNT_DETACH);
	rmdir(point);
	return verdict;
}

static struct verdict remount(void)
{
	return by_result(mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL));
}

/* What hides a file of the kernel's. */
static struct verdict unmask(void)
{
	return by_result(umount2("/proc/kallsyms", MNT_DETACH));
}

static struct verdict clone_tree(void)
{
	return by_call(syscall(SYS_open_tree, AT_FDCWD, "/usr", OPEN_TREE_CLONE));
}

static struct verdict change_attributes(void)
{
	struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_RDONLY};

	return by_call(
		syscall(SYS_mount_setattr, AT_FDCWD, "/usr", 0, &attributes, sizeof(attributes)));
}

static struct verdict open_type(void)
{
	return by_call(syscall(SYS_fsopen, "tmpfs", 0));
}

static struct verdict change_root(void)
{
	return by_result(chroot("/tmp"));
}

/* The classic: below a second root, a directory from before it is outside. */
static struct verdict old_root(void)
{
	return by_call(syscall(SYS_pivot_root, "/tmp", "/tmp"));
}

static struct verdict make_device(mode_t type, unsigned number)
{
	struct verdict verdict = by_result(mknod("/tmp/device", type | 0600, number));

	unlink("/tmp/device");
	return verdict;
}

static struct verdict make_block(void)
{
	return make_device(S_IFBLK, makedev(7, 0));
}

static struct verdict make_char(void)
{
	return make_device(S_IFCHR, makedev(1, 1));
}

/* A node that came with an archive is a file like any other. */
static struct verdict open_device(void)
{
	struct verdict verdict;

	if (mknod("/tmp/null", S_IFCHR | 0666, makedev(1, 3)) < 0)
		return denied();
	verdict = by_open("/tmp/null", O_RDONLY);
	unlink("/tmp/null");
	return verdict;
}

/* What the host mounts later would show inside, or the other way round. */
static struct verdict propagation(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096];

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, " shared:") || strstr(line, " master:"))
			return succeeded("%.100s", line);
	if (file)
		fclose(file);
	errno = EPERM;
	return denied();
}

static struct verdict usr_write(void)
{
	return by_open("/usr/lib/os-release", O_WRONLY);
}

/* Without a name, so that nothing of the host changes where it is let. */
static struct verdict usr_create(void)
{
	return by_open("/usr/lib", O_WRONLY | O_TMPFILE);
}

static struct verdict root_create(void)
{
	return by_result(mkdir("/hostile", 0755));
}

static const struct probe list[] = {
	{"mount-tmpfs", "63", "mount a tmpfs", ALL, mount_tmpfs, {0}},
	{"mount-proc", "3,4", "mount procfs", ALL, mount_proc, {0}},
	{"mount-bind", "6,63", "mount a directory twice", ALL, bind, {0}},
	{"mount-remount", "63", "make /usr writable", ALL, remount, {0}},
	{"mount-unmask", "13", "unmount what hides /proc/kallsyms", ALL, unmask, {0}},
	{"mount-open-tree", "49,63", "open_tree", BOTH, clone_tree, {0}},
	{"mount-setattr", "49,63", "mount_setattr", BOTH, change_attributes, {0}},
	{"mount-fsopen", "49,63", "fsopen", BOTH, open_type, {0}},
	{"mount-move",
	 "49,63",
	 "move_mount",
	 BOTH,
	 NULL,
	 {SYS_move_mount, -1, (long)"", -1, (long)"/tmp", 4}},
	{"mount-fsconfig", "63", "fsconfig", FILTER, NULL, {SYS_fsconfig, -1, 8, 0, 0, 0}},
	{"mount-chroot", "40", "chroot", "seccomp,caps", change_root, {0}},
	{"mount-pivot", "40", "pivot_root", ALL, old_root, {0}},
	{"device-block", "16", "make a disk", ALL, make_block, {0}},
	{"device-memory", "16", "make /dev/mem", ALL, make_char, {0}},
	{"device-open",
	 "16,32",
	 "open a device that was made inside",
	 ALL ",nodev",
	 open_device,
	 {0}},
	{"mount-propagation", "63", "mounts shared with the host", "private", propagation, {0}},
	{"usr-write", "62", "open a file of /usr for writing", "readonly", usr_write, {0}},
	{"usr-create", "62", "make a file in /usr", "readonly", usr_create, {0}},
	{"root-create", "52", "make a directory in /", "landlock", root_create, {0}},
};
const struct family family_mounts = {list, ARRAY_SIZE(list)};
