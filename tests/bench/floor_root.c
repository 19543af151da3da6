/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root that the floor's server sees: what an instance gets whose template has one install and
 * nothing more. Mounts from outside are taken before the first of the own ones, by descriptor;
 * everything else is relative to the new root, which is the working directory.
 */
#include "floor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define QUIET (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define SILENT (QUIET | MOUNT_ATTR_NOEXEC)
#define OWN "uid=2000000000,gid=2000000000,"

#define GROUPS_MAX 6

struct bind {
	const char *source, *target;
	uint64_t attributes;
	int fd;
};

static const char *const first_directories[] = {"dev", "dev/pts", "dev/shm"};

static const char *const directories[] = {
	"usr",	   "tmp",	    "run",	   "run/lock", "var",	  "root",
	"etc",	   "var/tmp",	    "var/cache",   "var/lib",  "var/log", "etc/alternatives",
	"etc/ssl", "etc/ssl/certs", "nonexistent", "sys",      "proc",
};

static const char *const sys_directories[] = {
	"sys/firmware",
	"sys/fs",
	"sys/fs/cgroup",
	"sys/devices",
	"sys/devices/system",
	"sys/devices/system/node",
	"sys/devices/system/cpu",
	"sys/kernel",
	"sys/kernel/mm",
	"sys/kernel/mm/hugepages",
	"sys/kernel/mm/transparent_hugepage",
};

static const struct {
	const char *target, *text;
} links[] = {
	{"bin", "usr/bin"},
	{"sbin", "usr/sbin"},
	{"lib", "usr/lib"},
	{"lib32", "usr/lib32"},
	{"lib64", "usr/lib64"},
	{"var/run", "../run"},
	{"var/lock", "../run/lock"},
	{"etc/localtime", "/usr/share/zoneinfo/Etc/UTC"},
	{"etc/os-release", "../usr/lib/os-release"},
	{"etc/mtab", "../proc/self/mounts"},
	{"dev/ptmx", "pts/ptmx"},
	{"dev/fd", "/proc/self/fd"},
	{"dev/stdin", "/proc/self/fd/0"},
	{"dev/stdout", "/proc/self/fd/1"},
	{"dev/stderr", "/proc/self/fd/2"},
};

static const struct {
	const char *target, *text;
} texts[] = {
	{"etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"},
	{"etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"},
	{"etc/hostname", "floor\n"},
	{"etc/hosts", "127.0.0.1 localhost\n::1 localhost\n198.18.0.2 floor\n"},
	{"etc/resolv.conf", "# no name server\n"},
	{"etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
};

static const char *const copies[] = {
	"/etc/ld.so.cache",
	"/etc/timezone",
	"/etc/services",
	"/etc/protocols",
	"/etc/mime.types",
	"/sys/devices/system/cpu/isolated",
	"/sys/devices/system/cpu/kernel_max",
	"/sys/devices/system/cpu/offline",
	"/sys/devices/system/cpu/online",
	"/sys/devices/system/cpu/possible",
	"/sys/devices/system/cpu/present",
	"/sys/kernel/mm/transparent_hugepage/defrag",
	"/sys/kernel/mm/transparent_hugepage/enabled",
	"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
	"/sys/kernel/mm/transparent_hugepage/shmem_enabled",
};

static const struct {
	const char *target;
	unsigned minor_of_1;
} nodes[] = {{"dev/null", 3},	{"dev/zero", 5},    {"dev/full", 7},
	     {"dev/random", 8}, {"dev/urandom", 9}, {"dev/tty", 0}};

static const char *const masks[] = {"proc/config.gz", "proc/interrupts",    "proc/kallsyms",
				    "proc/keys",      "proc/latency_stats", "proc/sched_debug"};
static const char *const empty_masks[] = {"proc/acpi", "proc/asound", "proc/scsi"};

static void make_directories(const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(mkdir(paths[i], 0755), paths[i]);
}

static int open_tree_at(const char *source)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* -1 for what this host does not have. */
static int take(const char *source, uint64_t attributes, int userns)
{
	struct mount_attr attr = {.attr_set = attributes, .userns_fd = (uint64_t)userns};
	int fd = open_tree_at(source);

	if (fd < 0 && errno == ENOENT)
		return -1;
	check(fd, source);
	if (userns >= 0)
		attr.attr_set |= MOUNT_ATTR_IDMAP;
	check(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)), source);
	return fd;
}

static void put(int fd, const char *target)
{
	if (fd < 0)
		return;
	check(syscall(SYS_move_mount, fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH), target);
	close(fd);
}

static struct bind binds[] = {
	{"/usr", "usr", QUIET, 0},
	{"/etc/alternatives", "etc/alternatives", SILENT, 0},
	{"/etc/ssl/certs", "etc/ssl/certs", SILENT, 0},
	{"/sys/devices/system/node", "sys/devices/system/node", SILENT, -1},
	{"/sys/kernel/mm/hugepages", "sys/kernel/mm/hugepages", SILENT, -1},
};

static void take_binds(const struct floor *floor)
{
	for (size_t i = 0; i < SIZE(binds); i++)
		binds[i].fd = take(binds[i].source, binds[i].attributes,
				   binds[i].fd < 0 ? -1 : floor->userns);
}

static void put_binds(void)
{
	for (size_t i = 0; i < SIZE(binds); i++)
		put(binds[i].fd, binds[i].target);
}

/* An instance's views of its own groups, and of the processors that all may use. */
static const char *const group_names[GROUPS_MAX] = {"cpu",    "cpuacct", "cpuset",
						    "memory", "blkio",	 "pids"};

static bool is_unified(void)
{
	return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
}

static void take_groups(const struct floor *floor, int *ret_groups)
{
	char path[96];

	if (is_unified()) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/stint-floor-%s/server", floor->id);
		ret_groups[0] = take(path, SILENT, -1);
		return;
	}
	for (size_t i = 0; i < GROUPS_MAX; i++) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/stint-floor-%s/server",
			 group_names[i], floor->id);
		if (strcmp(group_names[i], "cpuset") == 0)
			snprintf(path, sizeof(path), "/sys/fs/cgroup/cpuset");
		ret_groups[i] = take(path, SILENT, -1);
	}
}

static void put_groups(const int *groups, bool unified)
{
	char path[64];

	if (unified) {
		put(groups[0], "sys/fs/cgroup");
		return;
	}
	for (size_t i = 0; i < GROUPS_MAX; i++) {
		snprintf(path, sizeof(path), "sys/fs/cgroup/%s", group_names[i]);
		if (groups[i] >= 0)
			check(mkdir(path, 0755), path);
		put(groups[i], path);
	}
}

static void make_nodes(void)
{
	for (size_t i = 0; i < SIZE(nodes); i++) {
		unsigned minor = nodes[i].minor_of_1;

		check(mknod(nodes[i].target, S_IFCHR | 0666, makedev(minor ? 1 : 5, minor)),
		      nodes[i].target);
	}
}

static void write_file(const char *target, const char *text, size_t n)
{
	int fd = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	check(fd, target);
	check(write(fd, text, n), target);
	close(fd);
}

static void copy_files(void)
{
	static char buffer[1 << 17];

	for (size_t i = 0; i < SIZE(copies); i++) {
		int fd = open(copies[i], O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, buffer, sizeof(buffer));

		if (n > 0)
			write_file(copies[i] + 1, buffer, (size_t)n);
		if (fd >= 0)
			close(fd);
	}
}

static void make_files(void)
{
	for (size_t i = 0; i < SIZE(links); i++)
		check(symlink(links[i].text, links[i].target), links[i].target);
	for (size_t i = 0; i < SIZE(texts); i++)
		write_file(texts[i].target, texts[i].text, strlen(texts[i].text));
	copy_files();
}

static void make_processors(void)
{
	DIR *dir = opendir("/sys/devices/system/cpu");
	struct dirent *entry;
	char path[300];

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "cpu", 3) != 0 || entry->d_name[3] < '0' ||
		    entry->d_name[3] > '9')
			continue;
		snprintf(path, sizeof(path), "sys/devices/system/cpu/%s", entry->d_name);
		check(mkdir(path, 0755), path);
	}
	if (dir)
		closedir(dir);
}

static void mask(const char *source, const char *target, uint64_t attributes)
{
	if (access(target, F_OK) == 0)
		put(take(source, attributes, -1), target);
}

static void make_proc(void)
{
	check(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "proc");
	put(take("proc/sys", SILENT, -1), "proc/sys");
	for (size_t i = 0; i < SIZE(empty_masks); i++)
		mask("sys/firmware", empty_masks[i], SILENT);
	for (size_t i = 0; i < SIZE(masks); i++)
		mask("dev/null", masks[i], MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

static void lock(const char *target, uint64_t attributes)
{
	struct mount_attr attr = {.attr_set = attributes};

	check(syscall(SYS_mount_setattr, AT_FDCWD, target, 0, &attr, sizeof(attr)), target);
}

static void set(int context, unsigned command, const char *key, const void *value, int number)
{
	check(syscall(SYS_fsconfig, context, command, key, value, number), key ? key : "overlay");
}

/* The install's directory, and those above it, at the path that they have outside. */
static void make_path(const char *path)
{
	char part[256];

	for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		size_t n = slash ? (size_t)(slash - path) : strlen(path);

		snprintf(part, sizeof(part), "%.*s", (int)n - 1, path + 1);
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			check(-1, part);
		if (!slash)
			return;
	}
}

static void make_overlay(const struct floor *floor, int lower)
{
	int context = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
	int upper = openat(floor->layer, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int work = openat(floor->layer, "work", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int made;

	check(context, "overlay");
	set(context, FSCONFIG_SET_FD, "lowerdir+", NULL, lower);
	set(context, FSCONFIG_SET_FD, "upperdir", NULL, upper);
	set(context, FSCONFIG_SET_FD, "workdir", NULL, work);
	set(context, FSCONFIG_SET_STRING, "redirect_dir", "on", 0);
	set(context, FSCONFIG_SET_FLAG, "volatile", NULL, 0);
	set(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	made = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
			    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	check(made, "overlay");
	make_path(floor->install);
	put(made, floor->install + 1);
	close(context);
	close(upper);
	close(work);
	/* with the old root they end at once; each would wait for all processors when it is closed
	 */
	put(floor->layer, floor->install);
	put(lower, floor->install);
	check(mount("mqueue", floor->install, "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
	      "message queues");
}

static void make_devices(void)
{
	char pts[96];

	check(mkdir(first_directories[0], 0755), first_directories[0]);
	check(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC,
		    OWN "mode=0755,size=64k,nr_inodes=64"),
	      "dev");
	make_directories(first_directories + 1, SIZE(first_directories) - 1);
	make_nodes();
	snprintf(pts, sizeof(pts), "newinstance,ptmxmode=0666,mode=0620,max=256,gid=%u",
		 FLOOR_BASE + 5);
	check(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, pts), "dev/pts");
	check(mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    OWN "mode=1777,size=256m,nr_inodes=65536"),
	      "dev/shm");
}

static void make_sys(const int *groups, bool unified)
{
	check(mount("tmpfs", "sys", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    OWN "mode=0755,size=1m,nr_inodes=8192"),
	      "sys");
	make_directories(sys_directories, SIZE(sys_directories));
	make_processors();
	put_groups(groups, unified);
}

/*
 * Everything that is made belongs to root inside. An overlay works with the capabilities of
 * whoever mounted it, but not into what a file system keeps for the host's root.
 */
static void own(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2];

	setfsgid(FLOOR_BASE);
	setfsuid(FLOOR_BASE);
	check(syscall(SYS_capget, &header, caps), "capabilities");
	for (int i = 0; i < 2; i++)
		caps[i].effective = caps[i].permitted;
	caps[0].effective &= ~CAP_TO_MASK(CAP_SYS_RESOURCE);
	check(syscall(SYS_capset, &header, caps), "capabilities");
}

void root_enter(const struct floor *floor)
{
	int groups[GROUPS_MAX] = {-1}, lower;
	bool unified = is_unified();

	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	take_binds(floor);
	take_groups(floor, groups);
	lower = take(floor->install, 0, floor->userns);
	check(lower, floor->install);
	check(mount("tmpfs", floor->state, "tmpfs", MS_NOSUID | MS_NODEV,
		    OWN "mode=0755,size=1g,nr_inodes=262144"),
	      "root");
	check(chdir(floor->state), floor->state);
	own();
	make_devices();
	make_directories(directories, SIZE(directories));
	make_sys(groups, unified);
	make_files();
	put_binds();
	make_proc();
	lock("sys", SILENT);
	lock("dev", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	make_overlay(floor, lower);
	setfsuid(0);
	setfsgid(0);
	check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "the host's root");
}
