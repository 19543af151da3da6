/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of instances as their zones say: links, firewall, the zones' files. In a zone without
 * traffic there is nothing to do: the instance's address is on its own "lo" (netns/inside.h). A
 * start holds RUN/zones.lock shared from reading its zone until its link is made, a change of zones
 * exclusively: so every instance is in the network that its zone has. In commands.
 */
#ifndef INSTANCE_NETWORK_H
#define INSTANCE_NETWORK_H

#include "instance/site.h"
#include "plan/zone.h"

struct network {
	int lock;
	struct zone zone;
	char *files; /* the zone's directory; NULL: it has none */
};

/*
 * Reads the zone of the admitted record, puts the firewall in place and writes what its instances
 * see. ERROR_REFUSED when the template needs more egress than the zone gives. The caller ends
 * *network with network_deinit also after a failure.
 */
int network_begin(const struct site *site, struct store *store, const struct record *record,
		  const char *wanted_egress, struct network *ret_network, struct error *err);

/* True when the instance gets a link, and its server must wait for it. */
bool network_has_link(const struct network *network);

/* Makes the link, once there is a keeper to ask for the network namespace. */
int network_join(const struct site *site, const struct record *record,
		 const struct network *network, struct error *err);

void network_deinit(struct network *network);

/*
 * Puts everything of the host's in line with the zones in the store, after a change of one or an
 * end: links of running instances, files, the firewall. lock is what zones_lock returned; careful
 * as in zones_enforce. Goes on after a failure and returns the first one.
 */
int network_settle(const struct site *site, int lock, const char *careful, struct error *err);

/* An exclusive hold on all zones; a descriptor. Waits for starts that are under way (bounded). */
int zones_lock(const struct site *site, struct error *err);

/* After the end of an instance: its zone's files name it no more. */
void network_leave(const struct site *site, struct store *store, const struct record *record);

/*
 * Puts the firewall back when it is lost or damaged. When that fails, takes every link of the zones
 * down: open is what it must not be; the next time that it works they come up again.
 */
int network_mend(const struct site *site, struct error *err);

/* The name of the instance's link on the host, in a static buffer; NULL: it has none. */
const char *network_link_of(const struct record *record);

#endif
