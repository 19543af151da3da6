/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool in an image file of the state directory: every byte of it is allocated before the
 * instance starts, so that neither side can be surprised by a full disk later. It is mounted
 * detached from a loop device that the kernel takes back with the last user of the mount: what can
 * be left behind is the file, which goes with the directory.
 */
#include "instance/disk_backend.h"
#include "base/cleanup.h"
#include "base/loop_device.h"
#include "base/run.h"
#include "base/text.h"
#include "rootfs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define IMAGE "image"
#define INODE_SIZE 256
#define RESERVED_MAX (16ULL << 20) /* ext4 keeps 2 % or this back for its own use */

/* Only what a throwaway file system needs; the same whatever the host's mke2fs.conf says. */
static const char features[] = "none,64bit,dir_index,dir_nlink,ext_attr,extent,extra_isize,"
			       "filetype,flex_bg,huge_file,large_file,sparse_super,uninit_bg";

static const char *const programs[] = {"/usr/sbin/mke2fs", "/sbin/mke2fs"};

static const char *find_program(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (access(programs[i], X_OK) == 0)
			return programs[i];
	return NULL;
}

/* The file system's own tables come on top: the limit is what can be written. */
static uint64_t image_size(uint64_t pool)
{
	uint64_t tables = disk_inodes(pool) * INODE_SIZE;
	uint64_t reserved = pool / 50 < RESERVED_MAX ? pool / 50 : RESERVED_MAX;

	return (pool + tables + reserved) & ~4095ULL;
}

static int offer(const struct disk_question *question, struct error *err)
{
	uint64_t needed = image_size(question->pool);
	struct disk_room room;
	char needs[32], has[32];

	if (!find_program())
		return error_say(err, ERROR_REFUSED,
				 "a disk limit of this size needs 'mke2fs', which is not there; "
				 "install e2fsprogs");
	if (access("/dev/loop-control", R_OK | W_OK) < 0)
		return error_say(err, ERROR_REFUSED,
				 "a disk limit of this size needs a loop device, and "
				 "'/dev/loop-control' cannot be used; try 'modprobe loop'");
	if (disk_look(question->site->state, &room) < 0)
		return error_set(err, errno, "cannot look at the file system of '%s'",
				 question->site->state_path);
	needed += room.spare;
	format_size(needed, needs, sizeof(needs));
	format_size(room.free, has, sizeof(has));
	if (room.free >= needed)
		return 0;
	error_say(err, ERROR_REFUSED,
		  "the disk limit needs %s (%llu bytes) on the file system of '%s', which has %s "
		  "left",
		  needs, (unsigned long long)needed, question->site->state_path, has);
	/* a figure that the empty disk could not hold is not waited for */
	return needed > room.whole ? err->code : error_with_code(err, -ENOSPC);
}

/* fallocate(2) as root goes into the reserve: what is left for others is looked at again. */
static int make_file(int state, uint64_t size, struct error *err)
{
	cleanup_fd int fd = openat(state, IMAGE, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	long flags = FS_NOCOW_FL;
	struct disk_room room;
	char bytes[32];

	format_size(size, bytes, sizeof(bytes));
	if (fd < 0)
		return error_set(err, errno, "cannot create the image");
	/* btrfs would write elsewhere than what was allocated; others do not know the flag */
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	if (fallocate(fd, 0, 0, (off_t)size) < 0)
		return error_set(err, errno, "cannot allocate %s (%llu bytes) for the image", bytes,
				 (unsigned long long)size);
	if (disk_look(fd, &room) < 0 || room.free < room.spare / 2)
		return error_set(err, ENOSPC, "cannot allocate %s (%llu bytes) for the image",
				 bytes, (unsigned long long)size);
	return steal_fd(&fd);
}

/*
 * The file reads as zeros: its tables need not be written. nodiscard, because a hole would no
 * longer be allocated.
 */
static int make_file_system(int image, uint64_t pool, struct error *err)
{
	static char *const env[] = {(char *)"MKE2FS_CONFIG=/dev/null",
				    (char *)"MKE2FS_SKIP_CHECK_MSG=1", NULL};
	const char *program = find_program();
	cleanup_free char *inodes = xasprintf("%llu", (unsigned long long)disk_inodes(pool));
	cleanup_free char *path = xasprintf("/proc/%d/fd/%d", getpid(), image);
	const char *argv[] = {program, "-q",  "-F",	"-b",	"4096",
			      "-I",    "256", "-N",	inodes, "-m",
			      "0",     "-O",  features, "-E",	"nodiscard,lazy_itable_init=1",
			      path,    NULL};
	int r = program ? run_quietly((char *const *)argv, env, -1, -1) : -ENOENT;

	if (r < 0)
		return error_set(err, -r, "cannot make a file system in the image with '%s'",
				 program ? program : programs[0]);
	return 0;
}

/* noinit_itable: no thread of the kernel writes into it; nobarrier: it need not outlive a crash. */
static int mount_device(const char *path, int *ret_pool, struct error *err)
{
	cleanup_free char *options = xasprintf("source=%s,nobarrier,noinit_itable", path);
	int mount = mount_new("ext4", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (mount < 0)
		return error_set(err, -mount, "cannot mount the image from '%s'", path);
	*ret_pool = mount;
	return 0;
}

static int mount_image(int image, int *ret_pool, struct error *err)
{
	char path[64];
	cleanup_fd int loop = loop_device_attach(image, false, path, sizeof(path), err);

	return loop < 0 ? loop : mount_device(path, ret_pool, err);
}

/* Numbers say nothing of names where loop devices have partitions. */
static char *device_of(dev_t device)
{
	cleanup_free char *entry = xasprintf("/sys/dev/block/%u:%u", major(device), minor(device));
	char target[PATH_MAX];
	ssize_t n = readlink(entry, target, sizeof(target) - 1);
	const char *name;

	if (n < 0)
		return NULL;
	target[n] = '\0';
	name = strrchr(target, '/');
	return name ? xasprintf("/dev%s", name) : NULL;
}

/*
 * Mounted once more from its device, the kernel shows the same file system. A mount that went with
 * the mount namespace it was in can be attached to no other.
 */
static int renew(int pool, uint64_t size, int *ret_pool, struct error *err)
{
	cleanup_free char *path = NULL;
	cleanup_fd int mount = -1;
	struct stat st, again;
	int r;

	(void)size;
	if (fstat(pool, &st) < 0)
		return error_set(err, errno, "cannot look at what the instance wrote");
	path = device_of(st.st_dev);
	if (!path)
		return error_say(err, ERROR_FAILED, "cannot find the device %u:%u of its image",
				 major(st.st_dev), minor(st.st_dev));
	r = mount_device(path, &mount, err);
	if (r == 0 && (fstat(mount, &again) < 0 || again.st_dev != st.st_dev))
		r = error_say(err, ERROR_FAILED, "'%s' is another image", path);
	if (r == 0)
		*ret_pool = steal_fd(&mount);
	return r;
}

static int prepare(const struct record *record, int state, uint64_t pool, int *ret_pool,
		   struct error *err)
{
	cleanup_fd int image = make_file(state, image_size(pool), err);
	int r;

	(void)record;
	if (image < 0)
		return image;
	r = make_file_system(image, pool, err);
	return r < 0 ? r : mount_image(image, ret_pool, err);
}

static int reopen(int state, int *ret_pool, struct error *err)
{
	cleanup_fd int image = openat(state, IMAGE, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (image < 0)
		return error_set(err, errno, "cannot open the image");
	return mount_image(image, ret_pool, err);
}

static int undo(const struct site *site, const struct record *record, struct error *err)
{
	(void)site;
	(void)record;
	(void)err;
	return 0;
}

const struct disk_backend disk_image = {
	.name = "image",
	.words = "an allocated image on a loop device",
	.offer = offer,
	.takes = image_size,
	.prepare = prepare,
	.reopen = reopen,
	.renew = renew,
	.undo = undo,
	.read = disk_read_statfs,
};
