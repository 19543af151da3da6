/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link of an instance in a zone with traffic, host half: a veth pair whose far end is made in
 * the instance's network namespace. It is routed, not bridged: the host end has no address, the
 * neighbours are written down on both sides, so nothing is ever asked or learnt, and its interface
 * group is the zone. The instance's own addresses, which are on its "lo" all the time, are on its
 * end as well while there is one. With libnl; in commands.
 */
#ifndef NETNS_LINK_H
#define NETNS_LINK_H

#include "base/error.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define NETNS_LINK_NAME_SIZE 16
#define NETNS_LINK_PREFIX "st" /* then the instance's id */

struct netns_link {
	char name[NETNS_LINK_NAME_SIZE]; /* of the host end */
	uint32_t group;			 /* interface group, which the firewall goes by */
	struct in_addr ipv4;		 /* the instance's, network byte order */
	struct in6_addr ipv6;		 /* unspecified: none */
};

/* The name of the host end: it carries the instance's id, so that strays can be found. */
void netns_link_name(const char *id, char name[NETNS_LINK_NAME_SIZE]);

/*
 * Makes the link into the network namespace and brings both ends up, with routes, and forwarding
 * for this interface alone. A link of that name is made anew. Where the kernel still forgets an
 * earlier instance of the same address it is waited for (2 s), and -EEXIST names what has it. After
 * a failure nothing is left.
 * Needs CAP_NET_ADMIN here and there, and CAP_SYS_ADMIN to go there. See rtnetlink(7), veth(4).
 */
int netns_link_make(const struct netns_link *link, int netns, struct error *err);

/*
 * ERROR_REFUSED when the host routes the address somewhere, as to a VPN, but by its default route:
 * a link would take it from there. address is a struct in_addr or in6_addr.
 */
int netns_check_route(int family, const void *address, struct error *err);

/*
 * Says that another link has an address of this one, as of another installation with the same
 * addresses, and returns -EEXIST; 0, and says nothing, when none has.
 */
int netns_name_holder(const struct netns_link *link, struct error *err);

/* Removes it, and with it everything that netns_link_make made. None is no error. */
int netns_link_remove(const char *name, struct error *err);

/*
 * Ends the TCP connections of the namespace that lead out of it: who waits for an answer there is
 * told at once. Before the link is removed, without which nobody ever would be.
 */
int netns_cut_connections(int netns, struct error *err);

/* Takes the link down or up again; -ENODEV without an error's words when there is none. */
int netns_link_set_up(const char *name, bool up, struct error *err);

/* Calls each(name, data) for every interface here whose group is group, but for a zone's number. */
void netns_link_each(uint32_t group, void (*each)(const char *name, void *data), void *data);

/* True when a link of that name is there. */
bool netns_link_exists(const char *name);

/* Why IPv6 is not forwarded for one interface alone on this kernel; NULL: it can be. */
const char *netns_ipv6_hindrance(void);

#endif
