/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firewall between zones: one nftables table of the host for all instances, whose rules go by
 * interface groups and never by a single instance. What a zone may do is in the table's sets. The
 * table is put in place whole, in one transaction, with libnftables, which is loaded when it is
 * needed; other programs' tables are neither read nor touched. In commands.
 */
#ifndef NETNS_FIREWALL_H
#define NETNS_FIREWALL_H

#include "base/error.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIREWALL_GROUPS 4096 /* interface groups of one installation */

/* A packet with these from an instance is one whose way is told (path.h). */
#define FIREWALL_TRACED_HOPS 2
#define FIREWALL_TRACED_DSCP 43

/* Addresses that stand for the outside; a test packet (path.h) ends one hop from here. */
#define FIREWALL_ANYWHERE4 "198.41.0.4"
#define FIREWALL_ANYWHERE6 "2001:503:ba3e::2:30"

/* What of the outside is open to a zone. */
struct firewall_opening {
	int family; /* AF_INET, AF_INET6 */
	uint8_t address[16];
	unsigned prefix;
	uint16_t port;	  /* 0: every port */
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP with a port, 0: every protocol */
};

struct firewall_zone {
	uint32_t group; /* of its links */
	bool peers;	/* its instances may reach one another */
	bool internet;	/* and every public address */
	struct firewall_opening *openings;
	size_t n_openings;
};

struct firewall {
	const char *table;
	uint32_t first_group;		/* of FIREWALL_GROUPS */
	uint32_t ipv4_first, ipv4_last; /* addresses of instances, host byte order */
	struct in6_addr prefix6; /* the same, the first 96 bits; unspecified: they have none */
	struct firewall_zone *zones;
	size_t n_zones;
};

enum firewall_result { FIREWALL_KEPT, FIREWALL_MADE, FIREWALL_CHANGED, FIREWALL_REPAIRED };

/*
 * Puts the table in place unless it is there as wanted, which a file of the directory state tells
 * without reading the table when nobody's has changed since. -ENOENT (kind ERROR_FAILED) without
 * libnftables on this host. The caller holds a lock. Needs CAP_NET_ADMIN.
 */
int firewall_apply(const struct firewall *firewall, int state, enum firewall_result *ret_result,
		   struct error *err);

/* Removes the table and the file. None is no error, and then nothing is loaded. */
int firewall_remove(const char *table, int state, struct error *err);

/* The table as nft(8) reads it; the caller frees. */
char *firewall_text(const struct firewall *firewall);

#endif
