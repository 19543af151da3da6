/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance that was started ahead (store/spares.h). Once its server is ready it is frozen, and
 * waits. A command that wants it reserves it and is its tie from then on; then it gets published
 * ports and a lease, and goes on as an instance that has just got ready. A command that goes away
 * in between takes the spare with it: nobody has to find out how far it came. See keeper.h.
 */
#include "keeper/keeper.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool spare_waits(const struct keeper *keeper)
{
	return keeper->status.state == STATE_SPARE;
}

void spare_freeze(struct keeper *keeper)
{
	deadline_set_freezer(keeper, true);
	keeper->status.state = STATE_SPARE;
	keeper_write_status(keeper);
	keeper_tell_event(keeper, "spare", "");
}

int spare_reserve(struct keeper *keeper, struct client *client, struct error *err)
{
	if (!spare_waits(keeper) || keeper->phase != PHASE_RUNNING || clients_tied(keeper))
		return error_set(err, EBUSY, "it cannot be claimed: it is %s",
				 spare_waits(keeper) ? "somebody else's already"
						     : instance_state_name(keeper->status.state));
	client->tie = client->watch = client->finish = true;
	keeper->claimed_ns = clock_boottime_ns();
	/* of somebody who gave it back */
	while (keeper->n_granted > 0)
		cleanup_close(&keeper->listeners[--keeper->n_granted]);
	return 0;
}

/* The descriptor is the packet's, which is closed behind us. */
int spare_add_port(struct keeper *keeper, const struct client *client, uint16_t inside,
		   uint8_t flags, int listener, struct error *err)
{
	struct start_message *m = &keeper->message;
	int fd;

	if (!client->tie || !spare_waits(keeper) || keeper->n_granted == PLAN_PORTS_MAX)
		return error_say(err, ERROR_REFUSED, "no port can be published now");
	fd = fcntl(listener, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return error_set(err, errno, "cannot keep a published port");
	m->inside_ports[keeper->n_granted] = inside;
	m->port_flags[keeper->n_granted] = flags;
	keeper->listeners[keeper->n_granted++] = fd;
	return 0;
}

/* For everybody who looks it is as old as its claim. */
static void begin_life(struct keeper *keeper, const struct lease *lease)
{
	keeper->message.lease = *lease;
	keeper->message.spare = false;
	keeper->message.n_ports = keeper->n_granted;
	keeper->looked = false;
	keeper->warned_ns = 0;
	keeper->status.started_ns = keeper->claimed_ns;
}

int spare_grant(struct keeper *keeper, const struct client *client, const struct lease *lease,
		struct error *err)
{
	if (!client->tie || !spare_waits(keeper))
		return error_say(err, ERROR_REFUSED, "it is nobody's spare");
	begin_life(keeper, lease);
	keeper_tell_forwarder_ports(keeper);
	deadline_set_freezer(keeper, false);
	succession_open(keeper);
	keeper_tell_event(keeper, "claimed", "");
	ready_declare(keeper);
	return 0;
}
