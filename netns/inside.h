/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of an instance, inside half: what init does in its own network namespace. Two
 * netlink messages need no library, and nothing of the host has to enter the namespace for them.
 */
#ifndef NETNS_INSIDE_H
#define NETNS_INSIDE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Brings "lo" up and gives it the addresses as a /32 and a /128: address is IPv4 in host byte
 * order, address6 is text ("": none, and none on a kernel without IPv6). In a zone without traffic
 * this is the whole network: the host has nothing, and nothing can fail open. Needs CAP_NET_ADMIN
 * in the namespace. See rtnetlink(7).
 */
int netns_loopback_up(uint32_t address, const char *address6, struct error *err);

/*
 * Lets everybody inside listen on ports below 1024: who asks whom for them is the host's business,
 * and this network has one user. The capability for it would not do, because the namespace belongs
 * to the host's user namespace. Only in a namespace of the instance's own. proc is a procfs that
 * can be written, best a new one: in one that others use, too, the kernel looks through the entries
 * of all network namespaces. See ip-sysctl, ip_unprivileged_port_start.
 */
int netns_open_low_ports(int proc, struct error *err);

/*
 * For a network that nothing leaves: connections do without a congestion control that paces what it
 * sends (BBR), which halves what a published port carries. proc as above.
 */
void netns_set_local(int proc);

/*
 * Ends TCP connections, where the kernel can, by two NETLINK_SOCK_DIAG sockets of their namespace:
 * those that lead out of the instance, or all, what is left of ended ones included. See
 * sock_diag(7). Needs CAP_NET_ADMIN there. 0 or a negative errno.
 */
int netns_destroy_connections(int list, int killer, bool all);

/* The same of all in this namespace, for a server that is to find its ports free. Best effort. */
void netns_forget_connections(void);

#endif
