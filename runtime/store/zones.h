/* SPDX-License-Identifier: Apache-2.0 */
/* Zones <-> the table "zone". In commands only; see store.h. */
#ifndef STORE_ZONES_H
#define STORE_ZONES_H

#include "plan/zone.h"
#include "store/store.h"

/* Writes a new zone and gives it its number. ERROR_EXISTS when there is one of that name. */
int store_zone_add(struct store *store, struct zone *zone, struct error *err);

/* Enters a zone as it is, its number included, in place of what has its name or number. */
int store_zone_restore(struct store *store, const struct zone *zone, struct error *err);

/* Replaces all of a zone but its name and number. ERROR_NOT_FOUND without it. */
int store_zone_set(struct store *store, const struct zone *zone, struct error *err);

/*
 * ERROR_NOT_FOUND without it, ERROR_REFUSED while instances are in it (the text names some), and
 * for the zone that is always there.
 */
int store_zone_remove(struct store *store, const char *name, struct error *err);

/* ERROR_NOT_FOUND names the zones that there are. The caller ends *ret_zone with zone_deinit. */
int store_zone_load(struct store *store, const char *name, struct zone *ret_zone,
		    struct error *err);

/* By name. The caller frees with zone_list_free. */
int store_zone_list(struct store *store, struct zone **ret_zones, size_t *ret_n, struct error *err);

/* An instance as the others of its zone may know it. */
struct zone_member {
	char id[INSTANCE_ID_LENGTH + 1], name[INSTANCE_NAME_MAX + 1];
	uint32_t address;
	char address6[INET6_ADDRSTRLEN];
};

/* 1 and some instance of the zone other than id, 0 when there is none, or a negative errno. */
int store_zone_peer(struct store *store, const char *zone, const char *id,
		    struct zone_member *ret_peer, struct error *err);

/* The instances of the zone, by name. The caller frees. */
int store_zone_members(struct store *store, const char *zone, struct zone_member **ret_members,
		       size_t *ret_n, struct error *err);

/*
 * The ids of at most so many instances of zones with traffic, those that were entered last first.
 * The caller frees with strv_free.
 */
int store_zone_list_linked(struct store *store, int max, char ***ret_ids, struct error *err);

/* How many addresses they have together, IPv4 and IPv6, but for spares, which nobody may know. */
int store_zone_count_addresses(struct store *store, const char *zone, size_t *ret_n,
			       struct error *err);

#endif
