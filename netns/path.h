/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether something other than stint's firewall is in the way of what a zone may do. What another
 * program's table drops cannot be opened from ours, so a packet is sent from an instance, and what
 * the kernel tells of its way is read: nothing is concluded from rules that merely look so. The
 * packet lives for one hop beyond this host. In commands.
 */
#ifndef NETNS_PATH_H
#define NETNS_PATH_H

#include "netns/firewall.h"

#include <netinet/in.h>

struct path_probe {
	int netns;	       /* of an instance */
	const char *interface; /* the host end of its link */
	const char *table;     /* the firewall's */
	int family;	       /* AF_INET, AF_INET6 */
	uint8_t destination[16];
	uint16_t port;		    /* 0: any, which is then the one for discarded things */
	uint8_t protocol;	    /* IPPROTO_TCP; else UDP */
	bool peer;		    /* the destination is another instance, not the outside */
	char own[INET6_ADDRSTRLEN]; /* of this host, and passed over; "": none was */
};

enum path_end {
	PATH_OPEN,    /* the packet has left the host, or reached the other instance's link */
	PATH_STOPPED, /* and text says by what */
	PATH_NOWHERE, /* the host has no route there, as text says */
	PATH_UNKNOWN, /* nothing can be said, for that reason */
};

struct path_finding {
	enum path_end end;
	char *text; /* NULL if PATH_OPEN; the caller frees both */
	char *fix;  /* commands for a shell, or words; NULL: none is known */
};

/*
 * Sends one packet and waits until its end is known (300 ms at most). The firewall's table must be
 * in place. Needs CAP_NET_ADMIN here, and CAP_SYS_ADMIN to go to the instance's network namespace.
 */
int path_try(const struct path_probe *probe, struct path_finding *ret_finding, struct error *err);

/*
 * The first destination of that family which the zone's egress opens, into probe. False when there
 * is none. Addresses of this host are passed over: they are closed to instances in any case.
 */
bool path_destination(const struct firewall_zone *zone, int family, struct path_probe *probe);

void path_finding_deinit(struct path_finding *finding);

#endif
