/* SPDX-License-Identifier: Apache-2.0 */
/* What procfs and sysfs tell and let one change; see hostile.h. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

/* A mask answers with nothing. */
static struct verdict read_any(const char *path)
{
	char block[64];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return denied();
	n = read(fd, block, sizeof(block));
	close(fd);
	if (n > 0)
		return succeeded("%zd bytes of %s", n, path);
	if (n == 0)
		errno = ENODATA;
	return denied();
}

#define READS(function, path)                \
	static struct verdict function(void) \
	{                                    \
		return read_any(path);       \
	}
#define WRITES(function, path)                  \
	static struct verdict function(void)    \
	{                                       \
		return by_open(path, O_WRONLY); \
	}

READS(kallsyms, "/proc/kallsyms")
READS(interrupts, "/proc/interrupts")
READS(keys, "/proc/keys")
READS(locks, "/proc/locks")
READS(config, "/proc/config.gz")
READS(kcore, "/proc/kcore")
READS(pagecount, "/proc/kpagecount")
READS(pageflags, "/proc/kpageflags")
READS(timer_list, "/proc/timer_list")
READS(slabinfo, "/proc/slabinfo")
READS(vmallocinfo, "/proc/vmallocinfo")
READS(pagetypeinfo, "/proc/pagetypeinfo")
WRITES(core_pattern, "/proc/sys/kernel/core_pattern")
WRITES(modprobe, "/proc/sys/kernel/modprobe")
WRITES(sysrq, "/proc/sys/kernel/sysrq")
WRITES(drop_caches, "/proc/sys/vm/drop_caches")
WRITES(sysrq_trigger, "/proc/sysrq-trigger")
WRITES(host_name, "/proc/sys/kernel/hostname")
WRITES(irq, "/proc/irq/default_smp_affinity")
READS(init_environ, "/proc/1/environ")

static struct verdict init_exe(void)
{
	return by_open("/proc/1/exe", O_RDONLY);
}

static struct verdict init_root(void)
{
	return by_open("/proc/1/root/", O_RDONLY | O_DIRECTORY);
}

static struct verdict init_cwd(void)
{
	return by_open("/proc/1/cwd/", O_RDONLY | O_DIRECTORY);
}

static struct verdict init_mem(void)
{
	return by_open("/proc/1/mem", O_RDWR);
}

static struct verdict init_maps(void)
{
	return read_any("/proc/1/maps");
}

/* sysfs itself, for what the instance's own /sys leaves out. */
static struct verdict from_sysfs(const char *path, int flags)
{
	char full[128], point[] = "/tmp/sysfs.XXXXXX";
	struct verdict verdict;

	snprintf(full, sizeof(full), "/sys/%s", path);
	verdict = by_open(full, flags);
	if (verdict.kind == VERDICT_SUCCEEDED || !mkdtemp(point))
		return verdict;
	if (mount("sysfs", point, "sysfs", 0, NULL) < 0) {
		verdict = denied();
		rmdir(point);
		return verdict;
	}
	snprintf(full, sizeof(full), "%s/%s", point, path);
	verdict = by_open(full, flags);
	umount2(point, MNT_DETACH);
	rmdir(point);
	return verdict;
}

/* The way of CVE-2022-0492's sisters: a program of the attacker's, run by the kernel. */
static struct verdict sys_kernel(void)
{
	return from_sysfs("kernel/profiling", O_RDONLY);
}

static struct verdict sys_power(void)
{
	return from_sysfs("devices/system/cpu/vulnerabilities/meltdown", O_RDONLY);
}

static struct verdict sys_module(void)
{
	return from_sysfs("module/kernel/parameters/panic", O_WRONLY);
}

#define MASKED "masks,userns"
#define LOCKED "readonly,userns"

static const struct probe list[] = {
	{"proc-kallsyms", "61", "read /proc/kallsyms", "masks", kallsyms, {0}},
	{"proc-interrupts", "61", "read /proc/interrupts", "masks", interrupts, {0}},
	{"proc-keys", "60,61", "read /proc/keys", "masks", keys, {0}},
	{"proc-locks", "61", "read /proc/locks", "masks", locks, {0}},
	{"proc-config", "61", "read /proc/config.gz", "masks", config, {0}},
	{"proc-kcore", "61", "read the kernel's memory", "masks,userns,caps", kcore, {0}},
	{"proc-kpagecount", "61", "read /proc/kpagecount", MASKED, pagecount, {0}},
	{"proc-kpageflags", "61", "read /proc/kpageflags", MASKED, pageflags, {0}},
	{"proc-timer-list", "61", "read /proc/timer_list", MASKED, timer_list, {0}},
	{"proc-slabinfo", "61", "read /proc/slabinfo", MASKED, slabinfo, {0}},
	{"proc-vmallocinfo", "61", "read /proc/vmallocinfo", MASKED, vmallocinfo, {0}},
	{"proc-pagetypeinfo", "61", "read /proc/pagetypeinfo", MASKED, pagetypeinfo, {0}},
	{"proc-core-pattern", "9,15", "write core_pattern", LOCKED, core_pattern, {0}},
	{"proc-modprobe", "9", "write kernel.modprobe", LOCKED, modprobe, {0}},
	{"proc-sysrq", "15", "write kernel.sysrq", LOCKED, sysrq, {0}},
	{"proc-drop-caches", "15", "write vm.drop_caches", LOCKED, drop_caches, {0}},
	{"proc-sysrq-trigger", "13,15", "write sysrq-trigger", LOCKED, sysrq_trigger, {0}},
	{"proc-hostname", "15", "write kernel.hostname", LOCKED, host_name, {0}},
	{"proc-irq", "61", "write /proc/irq", LOCKED, irq, {0}},
	{"proc-1-exe", "2", "open init's program", "dumpable,caps,landlock", init_exe, {0}},
	{"proc-1-root", "1", "open init's root", "dumpable,caps", init_root, {0}},
	{"proc-1-cwd", "1", "open init's working directory", "dumpable,caps", init_cwd, {0}},
	{"proc-1-mem", "1,51", "write init's memory", "dumpable,caps", init_mem, {0}},
	{"proc-1-maps", "51", "read init's maps", "dumpable,caps", init_maps, {0}},
	{"proc-1-environ", "24", "read init's environment", "dumpable,caps", init_environ, {0}},
	{"sys-kernel", "61", "sysfs: kernel", ALL, sys_kernel, {0}},
	{"sys-side-channel", "61", "sysfs: per-processor state", ALL, sys_power, {0}},
	{"sys-module", "61", "sysfs: parameters of modules", ALL, sys_module, {0}},
};
const struct family family_proc = {list, ARRAY_SIZE(list)};
