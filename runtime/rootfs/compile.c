/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instance sees, as a list of operations; runs in the command that starts it. Every mount
 * is paid for twice, when it is made and when the namespace ends, so a directory or a file on the
 * root's own tmpfs is preferred wherever it does.
 */
#include "rootfs/rootfs.h"
#include "base/cleanup.h"
#include "base/path.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define TOP_SIZE (1ULL << 30)
#define SHM_SIZE (256ULL << 20)
#define BYTES_PER_INODE 4096

struct entry {
	enum root_op_kind kind;
	uint32_t flags, mode;
	const char *target, *text;
};

static void add_entries(struct root_ops *ops, const struct entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct root_op *op = root_ops_add(ops, entries[i].kind, entries[i].target);

		op->flags = entries[i].flags;
		op->mode = entries[i].mode;
		op->text = entries[i].text ? xstrdup(entries[i].text) : NULL;
	}
}

static struct root_op *add_bind(struct root_ops *ops, const char *source, const char *target)
{
	struct root_op *op = root_ops_add(ops, ROOT_BIND, target);

	op->source = xstrdup(source);
	return op;
}

/* Symbolic links such as /bin -> usr/bin as the host has them, real directories as binds. */
static void add_system(struct root_ops *ops)
{
	static const char *const links[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

	add_bind(ops, "/usr", "/usr");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		char text[PATH_MAX];
		ssize_t n = readlink(links[i], text, sizeof(text) - 1);

		if (n > 0) {
			text[n] = '\0';
			root_ops_add(ops, ROOT_SYMLINK, links[i])->text = xstrdup(text);
		} else if (errno == EINVAL) {
			add_bind(ops, links[i], links[i]);
		}
	}
}

/* The root itself, before everything else. Without a limit all that is written lies there. */
static void add_top(const struct rootfs_input *input, struct root_ops *ops)
{
	uint64_t size = input->root_size ? input->root_size : TOP_SIZE;

	root_ops_add(ops, ROOT_TMPFS, "/")->text = xasprintf(
		"mode=0755,size=%" PRIu64 ",nr_inodes=%" PRIu64, size, size / BYTES_PER_INODE);
}

/* A directory to write into: in the pool when there is a limit. */
static struct root_op *add_scratch(const struct rootfs_input *input, struct root_ops *ops,
				   const char *target, uint32_t mode)
{
	struct root_op *op = root_ops_add(ops, input->scratch ? ROOT_BIND : ROOT_DIRECTORY, target);

	op->mode = mode;
	if (!input->scratch)
		return op;
	op->source = xasprintf("%s%s", input->scratch, target);
	op->flags = ROOT_WRITABLE | ROOT_SCRATCH | (input->in_pool ? ROOT_IN_POOL : 0U);
	return op;
}

static void add_scratches(const struct rootfs_input *input, struct root_ops *ops)
{
	static const struct {
		const char *target;
		uint32_t mode;
	} scratches[] = {{"/tmp", 01777}, {"/run", 0755}, {"/var", 0755}, {"/root", 0700}};

	for (size_t i = 0; i < ARRAY_SIZE(scratches); i++)
		add_scratch(input, ops, scratches[i].target, scratches[i].mode);
}

static const struct entry directories[] = {
	{ROOT_DIRECTORY, 0, 01777, "/run/lock", NULL},
	{ROOT_DIRECTORY, 0, 01777, "/var/tmp", NULL},
	{ROOT_DIRECTORY, 0, 0755, "/var/cache", NULL},
	{ROOT_DIRECTORY, 0, 0755, "/var/lib", NULL},
	{ROOT_DIRECTORY, 0, 0755, "/var/log", NULL},
	{ROOT_SYMLINK, 0, 0, "/var/run", "../run"},
	{ROOT_SYMLINK, 0, 0, "/var/lock", "../run/lock"},
};

#define DEVICES (ROOT_WRITABLE | ROOT_NOEXEC | ROOT_HAS_DEVICES)
#define SCRATCH (ROOT_WRITABLE | ROOT_NOEXEC)

static const struct entry devices[] = {
	{ROOT_TMPFS, DEVICES, 0, "/dev", "mode=0755,size=64k,nr_inodes=64"},
	{ROOT_NODE, 0, 0666, "/dev/null", "1:3"},
	{ROOT_NODE, 0, 0666, "/dev/zero", "1:5"},
	{ROOT_NODE, 0, 0666, "/dev/full", "1:7"},
	{ROOT_NODE, 0, 0666, "/dev/random", "1:8"},
	{ROOT_NODE, 0, 0666, "/dev/urandom", "1:9"},
	{ROOT_NODE, 0, 0666, "/dev/tty", "5:0"},
	{ROOT_SYMLINK, 0, 0, "/dev/ptmx", "pts/ptmx"},
	{ROOT_SYMLINK, 0, 0, "/dev/fd", "/proc/self/fd"},
	{ROOT_SYMLINK, 0, 0, "/dev/stdin", "/proc/self/fd/0"},
	{ROOT_SYMLINK, 0, 0, "/dev/stdout", "/proc/self/fd/1"},
	{ROOT_SYMLINK, 0, 0, "/dev/stderr", "/proc/self/fd/2"},
};

static void add_terminals(struct root_ops *ops)
{
	struct root_op *op = root_ops_add(ops, ROOT_DEVPTS, "/dev/pts");

	op->flags = DEVICES;
	op->gid = ROOTFS_TTY;
	op->text = xstrdup("newinstance,ptmxmode=0666,mode=0620,max=256");
}

static void add_shm(const struct rootfs_input *input, struct root_ops *ops)
{
	struct root_op *op = root_ops_add(ops, ROOT_TMPFS, "/dev/shm");
	uint64_t size = input->shm_size ? input->shm_size : SHM_SIZE;

	op->flags = SCRATCH;
	op->text = xasprintf("mode=1777,size=%" PRIu64 ",nr_inodes=%" PRIu64, size,
			     size / BYTES_PER_INODE);
}

#define NOTHING "/sys/firmware" /* an empty directory */
#define PROCESSORS "/sys/devices/system/cpu"
#define HIDDEN (ROOT_OPTIONAL | DEVICES)
#define LOCKED (ROOT_OPTIONAL | ROOT_NOEXEC)

/*
 * What everybody may read and what tells about the host, or about others by the time at which it
 * changes. /proc/kcore and /proc/kmsg need no mask: opening them takes a capability that nobody
 * inside can have.
 */
static const struct entry proc[] = {
	{ROOT_PROC, SCRATCH, 0, "/proc", NULL},
	{ROOT_READ_ONLY, LOCKED, 0, "/proc/sys", NULL},
	{ROOT_MASK_DIRECTORY, LOCKED, 0, "/proc/acpi", NOTHING},
	{ROOT_MASK_DIRECTORY, LOCKED, 0, "/proc/asound", NOTHING},
	{ROOT_MASK_DIRECTORY, LOCKED, 0, "/proc/scsi", NOTHING},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/config.gz", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/interrupts", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/kallsyms", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/keys", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/latency_stats", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/locks", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/sched_debug", NULL},
};

/*
 * What uid 0 reads and writes without any capability. Of no use to ids of the instance's own:
 * procfs belongs to the host's root, who is nobody inside.
 */
static const struct entry proc_of_root[] = {
	{ROOT_READ_ONLY, LOCKED, 0, "/proc/bus", NULL},
	{ROOT_READ_ONLY, LOCKED, 0, "/proc/fs", NULL},
	{ROOT_READ_ONLY, LOCKED, 0, "/proc/irq", NULL},
	{ROOT_READ_ONLY, LOCKED, 0, "/proc/sysrq-trigger", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/allocinfo", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/key-users", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/kpagecgroup", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/kpagecount", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/kpageflags", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/pagetypeinfo", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/slabinfo", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/timer_list", NULL},
	{ROOT_MASK_FILE, HIDDEN, 0, "/proc/vmallocinfo", NULL},
};

/*
 * /sys is an allow-list, not the host's tree with holes: numbers of processors, memory nodes and
 * page sizes, by which servers choose their threads and heaps, and the instance's own control
 * groups. What a processor's directory says about throttling and frequency is a clock of what
 * others compute (GHSA-6fw5-f8r9-fgfm): the directories are there to be counted, and empty.
 */
static const struct entry sys[] = {
	{ROOT_TMPFS, SCRATCH, 0, "/sys", "mode=0755,size=1m,nr_inodes=8192"},
	{ROOT_DIRECTORY, 0, 0555, NOTHING, NULL},
	{ROOT_DIRECTORY, 0, 0755, "/sys/fs/cgroup", NULL},
};

static const char *const sys_shown[] = {"/sys/devices/system/node", "/sys/kernel/mm/hugepages"};

static const char *const sys_copied[] = {
	PROCESSORS "/isolated",
	PROCESSORS "/kernel_max",
	PROCESSORS "/offline",
	PROCESSORS "/online",
	PROCESSORS "/possible",
	PROCESSORS "/present",
	"/sys/kernel/mm/transparent_hugepage/defrag",
	"/sys/kernel/mm/transparent_hugepage/enabled",
	"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
	"/sys/kernel/mm/transparent_hugepage/shmem_enabled",
};

static void add_processors(struct root_ops *ops)
{
	cleanup_dir DIR *dir = opendir(PROCESSORS);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, "cpu", 3) == 0 && isdigit(entry->d_name[3])) {
			cleanup_free char *path = xasprintf(PROCESSORS "/%s", entry->d_name);

			root_ops_add(ops, ROOT_DIRECTORY, path);
		}
}

static void add_sys(struct root_ops *ops)
{
	add_entries(ops, sys, ARRAY_SIZE(sys));
	for (size_t i = 0; i < ARRAY_SIZE(sys_shown); i++)
		add_bind(ops, sys_shown[i], sys_shown[i])->flags = LOCKED | ROOT_HOST_IDS;
	for (size_t i = 0; i < ARRAY_SIZE(sys_copied); i++) {
		struct root_op *op = root_ops_add(ops, ROOT_COPY, sys_copied[i]);

		op->source = xstrdup(sys_copied[i]);
		op->flags = ROOT_OPTIONAL;
		op->mode = 0444;
	}
	add_processors(ops);
}

static void add_cgroups(const struct rootfs_input *input, struct root_ops *ops)
{
	for (size_t i = 0; i < input->n_cgroups; i++)
		add_bind(ops, input->cgroups[i].source, input->cgroups[i].target)->flags =
			ROOT_NOEXEC | ROOT_HOST_IDS;
}

/* Now that they are complete. */
static const struct entry locks[] = {
	{ROOT_READ_ONLY, ROOT_NOEXEC, 0, "/sys", NULL},
	{ROOT_READ_ONLY, ROOT_NOEXEC | ROOT_HAS_DEVICES, 0, "/dev", NULL},
};

static void add_layers(const struct rootfs_input *input, struct root_ops *ops)
{
	for (size_t i = 0; input->plan->install && input->plan->install[i]; i++) {
		const char *path = input->plan->install[i];
		struct root_op *op = root_ops_add(ops, ROOT_OVERLAY, path);

		op->source = xstrdup(input->lowers ? input->lowers[i].path : path);
		op->text = xasprintf("%s/%zu", input->layers, i);
		op->flags = ROOT_WRITABLE | (input->in_pool ? ROOT_IN_POOL : 0U);
		if (input->lowers && input->lowers[i].above)
			op->list = strv_copy(input->lowers[i].above);
		if (input->lowers && input->lowers[i].image >= 0) {
			op->flags |= ROOT_IMAGE;
			op->number = (uint32_t)input->lowers[i].image;
		}
	}
}

/* Part of the host, where nothing can be made. */
static bool is_host_view(const struct root_op *op)
{
	return op->kind == ROOT_BIND && !(op->flags & ROOT_SCRATCH);
}

static bool leads_to_usr(const struct root_op *op)
{
	return op->kind == ROOT_SYMLINK &&
	       strncmp(op->text + strspn(op->text, "/"), "usr/", 4) == 0;
}

/* There already, or part of what is shown from the host, where nothing can be made. */
static bool is_provided(const struct rootfs_input *input, const struct root_ops *ops,
			const char *path)
{
	for (size_t i = 0; i < ops->n; i++) {
		const struct root_op *op = &ops->list[i];

		if (is_host_view(op) || leads_to_usr(op) ? path_is_within(path, op->target)
							 : strcmp(path, op->target) == 0)
			return true;
	}
	for (size_t i = 0; input->plan->install && input->plan->install[i]; i++)
		if (path_is_within(path, input->plan->install[i]))
			return true;
	return strcmp(path, "/") == 0;
}

/* A home below /usr, /bin and the like is not made; the account then works in "/". */
static void add_home(const struct rootfs_input *input, struct root_ops *ops)
{
	const struct rootfs_account *account = input->account;
	struct root_op *op;

	if (is_provided(input, ops, account->home))
		return;
	op = add_scratch(input, ops, account->home, 0700);
	op->uid = account->uid;
	op->gid = account->gid;
}

int rootfs_compile(const struct rootfs_input *input, struct root_ops *ret_ops, struct error *err)
{
	*ret_ops = (struct root_ops){0};
	if (access("/usr", F_OK) < 0)
		return error_set(err, errno, "cannot see '/usr', which every instance shares");
	add_top(input, ret_ops);
	add_system(ret_ops);
	add_scratches(input, ret_ops);
	add_entries(ret_ops, directories, ARRAY_SIZE(directories));
	rootfs_compile_etc(input, ret_ops);
	add_home(input, ret_ops);
	add_entries(ret_ops, devices, ARRAY_SIZE(devices));
	add_terminals(ret_ops);
	add_shm(input, ret_ops);
	add_sys(ret_ops);
	add_cgroups(input, ret_ops);
	add_entries(ret_ops, proc, ARRAY_SIZE(proc));
	if (!input->has_ids)
		add_entries(ret_ops, proc_of_root, ARRAY_SIZE(proc_of_root));
	add_entries(ret_ops, locks, ARRAY_SIZE(locks));
	for (size_t i = 0; input->paths && input->paths[i]; i++)
		add_bind(ret_ops, input->paths[i], input->paths[i]);
	add_layers(input, ret_ops);
	return rootfs_compile_content(input, ret_ops, err);
}
