/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of zones: checked, stored, and carried out on what runs. In commands. */
#ifndef INSTANCE_ZONES_H
#define INSTANCE_ZONES_H

#include "instance/site.h"
#include "plan/zone.h"

/*
 * Checks name, tier, egress and dns. ERROR_USAGE for what is no such thing, ERROR_REFUSED for zones
 * whose name says test or production.
 */
int zone_check(const struct zone *zone, struct error *err);

/* Fails with a sentence when the name of a host in its egress cannot be resolved now. */
int zone_check_names(const struct site *site, const struct zone *zone, struct error *err);

/* ERROR_EXISTS when there is one; its number is given out. */
int zone_create(const struct site *site, struct zone *zone, struct error *err);

/*
 * Replaces all of the zone but its name. Running instances follow: links come and go, connections
 * that are not allowed any more are cut. ERROR_NOT_FOUND without it.
 */
int zone_change(const struct site *site, const struct zone *zone, struct error *err);

/* ERROR_REFUSED while instances are in it. */
int zone_destroy(const struct site *site, const char *name, struct error *err);

/* Why links carry no IPv6 on this host; NULL: they do. */
const char *zone_ipv6_hindrance(void);

#endif
