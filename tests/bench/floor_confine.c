/* SPDX-License-Identifier: Apache-2.0 */
/* What the floor's inside may not do: a Landlock domain, no capability, a filter of calls. */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534
#define FILTER_LENGTH 437 /* of stint's default profile on x86-64 */
#define BLOCK 16

/* In order of what "ls" of an instance's root would find; the install comes last. */
static const char *const places[] = {
	"/proc",
	"/etc",
	"/tmp",
	"/run",
	"/var",
	"/root",
	"/run/lock",
	"/var/tmp",
	"/var/cache",
	"/var/lib",
	"/var/log",
	"/nonexistent",
	"/dev",
	"/dev/pts",
	"/dev/shm",
	"/sys",
	"/sys/firmware",
	"/sys/fs/cgroup",
	"/sys/devices/system/cpu/cpu0",
	"/sys/devices/system/cpu/cpu1",
};

static void allow(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0 && errno == ENOENT)
		return;
	check(rule.parent_fd, path);
	check(syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0), path);
	close(rule.parent_fd);
}

void root_confine(const struct floor *floor)
{
	const uint64_t read = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
			      LANDLOCK_ACCESS_FS_READ_DIR;
	const uint64_t all = (LANDLOCK_ACCESS_FS_REFER << 1) - 1;
	struct landlock_ruleset_attr attr = {.handled_access_fs = all};
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	/* a kernel without it gives stint none either */
	if (rules < 0)
		return;
	allow(rules, "/", read);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		allow(rules, places[i], all);
	allow(rules, floor->install, all);
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges");
	check(syscall(SYS_landlock_restrict_self, rules, 0), "Landlock");
	close(rules);
}

/*
 * As long as stint's, and as deep: a call's number is looked for in blocks first, so that the
 * kernel, which tries it for every call when it is set, has as much to do. All is allowed.
 */
static void filter_set(void)
{
	struct sock_filter code[FILTER_LENGTH] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = {.len = FILTER_LENGTH, .filter = code};
	unsigned i;

	for (i = 2; i < FILTER_LENGTH - 2; i++) {
		code[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1000 + i, 0, 0);
		if (i % BLOCK == 2 && i + BLOCK < FILTER_LENGTH)
			code[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, i,
							       BLOCK - 1, 0);
	}
	for (; i < FILTER_LENGTH; i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "filter of system calls");
}

static void capabilities_drop(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	check(syscall(SYS_capset, &header, none), "capabilities");
}

void server_confine(void)
{
	gid_t group = NOBODY;

	setsid();
	check(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0), "keyring");
	for (int i = 0; prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0; i++)
		;
	check(setgroups(1, &group), "groups");
	check(setresgid(NOBODY, NOBODY, NOBODY), "group");
	check(setresuid(NOBODY, NOBODY, NOBODY), "user");
	capabilities_drop();
	filter_set();
}
