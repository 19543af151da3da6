/* SPDX-License-Identifier: Apache-2.0 */
/* From zones as people write them to what the firewall takes. In commands. */
#ifndef INSTANCE_OPENINGS_H
#define INSTANCE_OPENINGS_H

#include "instance/site.h"
#include "netns/firewall.h"
#include "plan/zone.h"

/*
 * Puts the firewall of this host in line with all zones in the store, or removes it when none has
 * traffic. Names of hosts in an egress are resolved now; one of the zone careful (NULL: of none)
 * that cannot be is an error, in other zones it opens nothing. What another program had done to
 * the table goes to syslog, and to stderr where somebody reads it.
 */
int zones_enforce(const struct site *site, struct store *store, const char *careful,
		  struct error *err);

/* The same, but that the firewall stays where no zone has traffic: there still are links. */
int zones_close(const struct site *site, struct store *store, struct error *err);

/*
 * One zone as the firewall takes it; careful as above. The caller frees ret_zone->openings, also
 * after a failure.
 */
int zone_translate(const struct site *site, const struct zone *zone, const char *careful,
		   struct firewall_zone *ret_zone, struct error *err);

#endif
