/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Families of sockets, each the kernel's code that no server needs; see hostile.h. A type that does
 * not exist is refused by the kernel before it would load a module for the family.
 */
#include "hostile.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define NO_TYPE 11L
#define HIGH (1L << 32) /* of which the kernel takes no notice */

#define FAMILY(name, family)                                        \
	{                                                           \
		name, "62,67", "socket(" #family ")", FILTER, NULL, \
		{                                                   \
			SYS_socket, family, NO_TYPE, 0              \
		}                                                   \
	}
#define NETLINK(name, protocol)                                                   \
	{                                                                         \
		name, "65,67", "socket(AF_NETLINK, " #protocol ")", FILTER, NULL, \
		{                                                                 \
			SYS_socket, AF_NETLINK, SOCK_RAW, protocol                \
		}                                                                 \
	}

static const struct probe list[] = {
	{"socket-alg",
	 "62",
	 "Copy Fail: socket(AF_ALG)",
	 FILTER,
	 NULL,
	 {SYS_socket, AF_ALG, SOCK_SEQPACKET, 0}},
	{"socket-alg-high",
	 "47,62",
	 "the same with a bit in the upper half",
	 FILTER,
	 NULL,
	 {SYS_socket, AF_ALG | HIGH, SOCK_SEQPACKET, 0}},
	{"socket-alg-pair",
	 "62",
	 "socketpair(AF_ALG)",
	 FILTER,
	 NULL,
	 {SYS_socketpair, AF_ALG, SOCK_SEQPACKET, 0, 1}},
	{"socket-packet",
	 "66",
	 "socket(AF_PACKET)",
	 BOTH,
	 NULL,
	 {SYS_socket, AF_PACKET, SOCK_RAW, 0}},
	{"socket-raw",
	 "28,66",
	 "a raw socket of IPv4",
	 POWER,
	 NULL,
	 {SYS_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP}},
	{"socket-raw6",
	 "28",
	 "router advertisements: a raw socket of IPv6",
	 POWER,
	 NULL,
	 {SYS_socket, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6}},
	FAMILY("socket-vsock", AF_VSOCK),
	FAMILY("socket-xdp", AF_XDP),
	FAMILY("socket-key", AF_KEY),
	FAMILY("socket-can", AF_CAN),
	FAMILY("socket-bluetooth", AF_BLUETOOTH),
	FAMILY("socket-tipc", AF_TIPC),
	FAMILY("socket-rds", AF_RDS),
	FAMILY("socket-rxrpc", AF_RXRPC),
	FAMILY("socket-smc", AF_SMC),
	FAMILY("socket-kcm", AF_KCM),
	FAMILY("socket-nfc", AF_NFC),
	FAMILY("socket-llc", AF_LLC),
	FAMILY("socket-ax25", AF_AX25),
	FAMILY("socket-pppox", AF_PPPOX),
	FAMILY("socket-phonet", AF_PHONET),
	NETLINK("netlink-netfilter", NETLINK_NETFILTER),
	NETLINK("netlink-xfrm", NETLINK_XFRM),
	NETLINK("netlink-audit", NETLINK_AUDIT),
	NETLINK("netlink-uevent", NETLINK_KOBJECT_UEVENT),
	NETLINK("netlink-generic", NETLINK_GENERIC),
	NETLINK("netlink-crypto", NETLINK_CRYPTO),
	NETLINK("netlink-diag", NETLINK_SOCK_DIAG),
	NETLINK("netlink-connector", NETLINK_CONNECTOR),
};
const struct family family_sockets = {list, ARRAY_SIZE(list)};
