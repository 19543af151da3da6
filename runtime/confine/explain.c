/* SPDX-License-Identifier: Apache-2.0 */
/* A denied system call in words, with the argument that decides; in "stint doctor". */
#include "confine/confine.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define X32_BIT 0x40000000

#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
#define NATIVE 0 /* calls are named by number */
#endif

struct word {
	uint64_t value;
	const char *name;
};

static const struct word families[] = {
	{AF_UNIX, "AF_UNIX"},	  {AF_INET, "AF_INET"},
	{AF_INET6, "AF_INET6"},	  {AF_NETLINK, "AF_NETLINK"},
	{AF_PACKET, "AF_PACKET"}, {AF_KEY, "AF_KEY"},
	{AF_ALG, "AF_ALG"},	  {AF_VSOCK, "AF_VSOCK"},
	{AF_CAN, "AF_CAN"},	  {AF_BLUETOOTH, "AF_BLUETOOTH"},
	{AF_TIPC, "AF_TIPC"},	  {AF_RDS, "AF_RDS"},
	{AF_XDP, "AF_XDP"},	  {0, NULL},
};

static const struct word namespaces[] = {
	{CLONE_NEWUSER, "CLONE_NEWUSER"},     {CLONE_NEWNS, "CLONE_NEWNS"},
	{CLONE_NEWPID, "CLONE_NEWPID"},	      {CLONE_NEWNET, "CLONE_NEWNET"},
	{CLONE_NEWUTS, "CLONE_NEWUTS"},	      {CLONE_NEWIPC, "CLONE_NEWIPC"},
	{CLONE_NEWCGROUP, "CLONE_NEWCGROUP"}, {0, NULL},
};

static const struct word requests[] = {
	{TIOCSTI, "TIOCSTI"},
	{TIOCLINUX, "TIOCLINUX"},
	{TIOCSETD, "TIOCSETD"},
	{TIOCCONS, "TIOCCONS"},
	{FS_IOC_FSSETXATTR, "FS_IOC_FSSETXATTR"},
	{0, NULL},
};

static const struct word commands[] = {
	{F_SETLEASE, "F_SETLEASE"},
	{F_NOTIFY, "F_NOTIFY"},
	{F_SET_RW_HINT, "F_SET_RW_HINT"},
	{F_SET_FILE_RW_HINT, "F_SET_FILE_RW_HINT"},
	{0, NULL},
};

static void add_value(struct text *text, const struct word *words, uint64_t value)
{
	for (; words->name; words++)
		if (words->value == value) {
			text_add(text, words->name);
			return;
		}
	text_addf(text, "%#llx", (unsigned long long)value);
}

static void add_bits(struct text *text, const struct word *words, uint64_t value)
{
	const char *separator = "";

	for (; words->name; words++)
		if (value & words->value) {
			text_addf(text, "%s%s", separator, words->name);
			separator = "|";
		}
}

static void add_socket(struct text *text, const struct seccomp_data *data)
{
	add_value(text, families, (uint32_t)data->args[0]);
	if ((uint32_t)data->args[0] == AF_NETLINK)
		text_addf(text, ", protocol %u", (uint32_t)data->args[2]);
}

/* The kernel looks at the low half of these arguments only, and so does the filter. */
static void add_arguments(struct text *text, const struct seccomp_data *data)
{
	uint32_t first = (uint32_t)data->args[0], second = (uint32_t)data->args[1];

	text_add(text, "(");
	switch (data->nr) {
	case SYS_socket:
	case SYS_socketpair:
		add_socket(text, data);
		break;
	case SYS_clone:
	case SYS_unshare:
		add_bits(text, namespaces, first);
		break;
	case SYS_ioctl:
		add_value(text, requests, second);
		break;
	case SYS_fcntl:
		add_value(text, commands, second);
		break;
	case SYS_setsockopt:
		text_addf(text, "level %u, option %u", second, (uint32_t)data->args[2]);
		break;
	case SYS_personality:
		text_addf(text, "%#x", first);
		break;
	default:
		break;
	}
	text_add(text, ")");
}

bool filter_is_native(const struct seccomp_data *data)
{
	return data->arch == NATIVE && data->nr < X32_BIT;
}

void filter_explain(const struct seccomp_data *data, struct text *ret_text)
{
	char buffer[64];
	const char *name = NULL;

	if (filter_is_native(data))
		name = filter_call_name(data->nr, buffer);
	if (name) {
		text_add(ret_text, name);
		add_arguments(ret_text, data);
	} else if (data->arch == NATIVE && data->nr >= X32_BIT) {
		text_addf(ret_text, "x32 call %d", data->nr - X32_BIT);
	} else if (data->arch == NATIVE) {
		text_addf(ret_text, "call %d, younger than the list", data->nr);
	} else {
		text_addf(ret_text, "call %d of another architecture (%#x)", data->nr, data->arch);
	}
}
