/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zone: a network segment that instances belong to. What its instances may reach is a matter of
 * the zone, never of a single instance. Pure data.
 */
#ifndef PLAN_ZONE_H
#define PLAN_ZONE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZONE_DEFAULT "default" /* of templates that name none; is always there */
#define ZONE_NUMBER_MAX 4095
#define ZONE_NAME_MAX 32
#define EGRESS_MAX 64 /* destinations of a list */

struct zone {
	char *name;
	uint32_t number; /* 1 to ZONE_NUMBER_MAX; part of the interface group of its links */
	char *tier;	 /* a word of zone_tiers */
	bool peers;	 /* its instances may reach one another */
	char *egress;	 /* "none", "internet", or a list of destinations, separated by commas */
	char *dns;	 /* "host": the host's servers, "none", or a list of addresses */
};

/* Where instances may live: words, in order, ending in NULL. */
extern const char *const zone_tiers[];

/* One destination of an egress list: "CIDR[:PORT[/PROTOCOL]]", the same with a host's name. */
struct egress_destination {
	char host[256]; /* a name to be resolved; "": the address below */
	int family;	/* AF_INET, AF_INET6 */
	uint8_t address[16];
	unsigned prefix;
	uint16_t port;	  /* 0: every port */
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP with a port; 0: every protocol */
};

/*
 * Reads one destination; "[ADDRESS/PREFIX]:PORT" for IPv6 with a port. A port without a protocol
 * means TCP. ERROR_USAGE with what is wrong and how it is written right.
 */
int egress_parse(const char *text, struct egress_destination *ret_destination, struct error *err);

/*
 * Reads a whole egress: 0 destinations for "none" and "internet". The caller frees the list.
 */
int egress_parse_list(const char *text, struct egress_destination **ret_list, size_t *ret_n,
		      struct error *err);

/* ERROR_USAGE unless it is "host", "none" or a list of addresses, separated by commas. */
int dns_check(const char *text, struct error *err);

/*
 * ERROR_REFUSED for what a zone, a template or a label says of its purpose where that is one that
 * several instances on one machine cannot serve: test and production. what names who says it.
 */
int tier_check(const char *word, const char *what, struct error *err);

/* True when instances of the zone need a link: they may reach somebody, or be reached by one. */
bool zone_has_traffic(const struct zone *zone);

void zone_deinit(struct zone *zone);
void zone_free(struct zone *zone);
void zone_list_free(struct zone *zones, size_t n);

#endif
