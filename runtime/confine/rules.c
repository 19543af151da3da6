/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that depend on their arguments; in the command that compiles a filter. The kernel
 * takes these arguments as 32-bit numbers, so a filter must not be impressed by the upper half of
 * the register.
 */
#include "confine/calls.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define INSIDE (1 << FILTER_DEFAULT | 1 << FILTER_STRICT)
#define FORWARDER (1 << FILTER_FORWARDER)
#define ALL_BITS 0xffffffffU
#define NEW_NAMESPACES                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)

const struct call_rule call_rules[] = {
	/* threads and processes, but no namespaces; clone3 hides its flags in memory */
	{"clone", INSIDE, {{0, NEW_NAMESPACES, 0}}, 1},
	/* Linux as it is, and the question what it is: no older layouts of memory */
	{"personality", INSIDE, {{0, ALL_BITS, 0}}, 1},
	{"personality", INSIDE, {{0, ALL_BITS, 0xffffffffU}}, 1},
	/* every other family is kernel code that no server needs; AF_ALG and AF_VSOCK lead far */
	{"socket", INSIDE, {{0, ALL_BITS, AF_UNIX}}, 1},
	{"socket", INSIDE, {{0, ALL_BITS, AF_INET}}, 1},
	{"socket", INSIDE, {{0, ALL_BITS, AF_INET6}}, 1},
	{"socket", INSIDE, {{0, ALL_BITS, AF_NETLINK}, {2, ALL_BITS, NETLINK_ROUTE}}, 2},
	{"socketpair", INSIDE, {{0, ALL_BITS, AF_UNIX}}, 1},
	{"socket", FORWARDER, {{0, ALL_BITS, AF_INET}}, 1},
	/* no F_SETOWN, which sends signals to whoever has the same id; no limits but its own */
	{"fcntl", FORWARDER, {{1, ALL_BITS, F_GETFD}}, 1},
	{"fcntl", FORWARDER, {{1, ALL_BITS, F_SETFD}}, 1},
	{"fcntl", FORWARDER, {{1, ALL_BITS, F_GETFL}}, 1},
	{"fcntl", FORWARDER, {{1, ALL_BITS, F_SETFL}}, 1},
	{"fcntl", FORWARDER, {{1, ALL_BITS, F_SETPIPE_SZ}}, 1},
	{"prlimit64", FORWARDER, {{0, ALL_BITS, 0}}, 1},
	/* FIFOs, sockets and plain files, but no devices, nor an overlay's whiteouts */
	{"mknod", INSIDE, {{1, S_IFMT, S_IFIFO}}, 1},
	{"mknod", INSIDE, {{1, S_IFMT, S_IFSOCK}}, 1},
	{"mknod", INSIDE, {{1, S_IFMT, S_IFREG}}, 1},
	{"mknod", INSIDE, {{1, S_IFMT, 0}}, 1},
	{"mknodat", INSIDE, {{2, S_IFMT, S_IFIFO}}, 1},
	{"mknodat", INSIDE, {{2, S_IFMT, S_IFSOCK}}, 1},
	{"mknodat", INSIDE, {{2, S_IFMT, S_IFREG}}, 1},
	{"mknodat", INSIDE, {{2, S_IFMT, 0}}, 1},
	/* but for what checks.c puts before all rules */
	{"ioctl", INSIDE, {{0}}, 0},
	{"ioctl", FORWARDER, {{1, ALL_BITS, FIONREAD}}, 1},
	{NULL, 0, {{0}}, 0},
};

const struct call_number young_calls[] = {
	{"close_range", 436},
	{"openat2", 437},
	{"faccessat2", 439},
	{"epoll_pwait2", 441},
	{"landlock_create_ruleset", 444},
	{"landlock_add_rule", 445},
	{"landlock_restrict_self", 446},
	{"futex_waitv", 449},
	{"cachestat", 451},
	{"fchmodat2", 452},
	{"futex_wake", 454},
	{"futex_wait", 455},
	{"futex_requeue", 456},
	{"mseal", 462},
	{"setxattrat", 463},
	{"getxattrat", 464},
	{"listxattrat", 465},
	{"removexattrat", 466},
	{NULL, 0},
};
