/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities that are left, or come back; see hostile.h. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The five sets are lines of /proc/self/status. */
static struct verdict set_is_empty(const char *field)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long set = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, field, strlen(field)) == 0)
			sscanf(line + strlen(field), ": %llx", &set);
	if (file)
		fclose(file);
	if (set != 0)
		return succeeded("%s has %llx", field, set);
	errno = EPERM;
	return denied();
}

#define SET(function, field)                 \
	static struct verdict function(void) \
	{                                    \
		return set_is_empty(field);  \
	}

SET(inheritable, "CapInh")
SET(permitted, "CapPrm")
SET(effective, "CapEff")
SET(bounding, "CapBnd")
SET(ambient, "CapAmb")

/* Back into effect what is not permitted. */
static struct verdict raise_effective(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {{0}};

	sets[0].permitted = sets[0].effective = 1U << CAP_CHOWN | 1U << CAP_SYS_ADMIN;
	return by_result(syscall(SYS_capset, &header, sets));
}

static struct verdict raise_inheritable(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		return denied();
	sets[0].inheritable |= 1U << CAP_NET_ADMIN;
	return by_result(syscall(SYS_capset, &header, sets));
}

/* A file that gives capabilities to whoever executes it. */
static struct verdict file_capabilities(void)
{
	struct vfs_cap_data data = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data = {{.permitted = 1U << CAP_NET_RAW}},
	};
	int fd = open("/tmp/file-capabilities", O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	struct verdict verdict =
		by_result(fsetxattr(fd, "security.capability", &data, XATTR_CAPS_SZ_2, 0));

	close(fd);
	unlink("/tmp/file-capabilities");
	return verdict;
}

static struct verdict new_privileges(void)
{
	errno = EPERM;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 ? succeeded("no_new_privs is off")
							   : denied();
}

static const struct probe list[] = {
	{"cap-inheritable", "8", "capabilities to inherit", "caps", inheritable, {0}},
	{"cap-permitted", "8", "capabilities permitted", "caps", permitted, {0}},
	{"cap-effective", "8", "capabilities in effect", "caps", effective, {0}},
	{"cap-bounding", "8", "capabilities in the bounding set", "caps", bounding, {0}},
	{"cap-ambient", "8", "ambient capabilities", "caps", ambient, {0}},
	{"cap-raise", "8", "capset: CAP_SYS_ADMIN back into effect", "caps", raise_effective, {0}},
	{"cap-raise-inheritable", "8", "capset: inheritable again", "caps", raise_inheritable, {0}},
	{"cap-file", "8,32", "a file with capabilities", "caps", file_capabilities, {0}},
	{"no-new-privs", "58", "an exec that may gain", "nnp,seccomp", new_privileges, {0}},
};
const struct family family_capabilities = {list, ARRAY_SIZE(list)};
