/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forwarding on the uplinks of zones with egress: on the interfaces where answers come in, never
 * for the whole host. What an interface had is written to the file "forwarding" of the directory
 * state before it is changed, and put back when no zone needs it any more. In commands.
 */
#ifndef NETNS_FORWARDING_H
#define NETNS_FORWARDING_H

#include "netns/firewall.h"

/*
 * Switches forwarding on where what the zones may reach is routed to, and back elsewhere. With no
 * zones everything goes back. Goes on after a failure and returns the first one. The caller holds
 * the firewall's lock.
 */
int forwarding_settle(const struct firewall *firewall, int state, struct error *err);

#endif
