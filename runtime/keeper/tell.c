/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper says to its two children; see keeper.h. */
#include "keeper/keeper.h"
#include "base/socket.h"

#include <errno.h>

/* Who did not hear that it should begin would never answer. One that died is noticed as such. */
static void check_told(struct keeper *keeper, int r)
{
	if ((r == -ENOMEM || r == -ENOBUFS) && keeper->phase == PHASE_RUNNING)
		keeper_fail(keeper, "the host has no memory for messages");
}

void keeper_tell_init(struct keeper *keeper, struct control_packet *packet, const int *fds,
		      size_t n_fds)
{
	if (keeper->init.channel >= 0)
		check_told(keeper, control_send(keeper->init.channel, packet, fds, n_fds));
}

void keeper_tell_forwarder(struct keeper *keeper, enum forwarder_verb verb)
{
	struct forwarder_message message = {.verb = verb, .serial = keeper->status.restarts};

	if (keeper->forwarder.channel >= 0)
		check_told(keeper, socket_send(keeper->forwarder.channel, &message, sizeof(message),
					       NULL, 0));
}

void keeper_tell_forwarder_left(struct keeper *keeper, uint32_t seconds, bool idle)
{
	struct forwarder_message message = {
		.verb = FORWARDER_WARN, .serial = seconds, .idle = idle};

	if (keeper->forwarder.channel >= 0)
		(void)socket_send(keeper->forwarder.channel, &message, sizeof(message), NULL, 0);
}

void keeper_tell_forwarder_drain(struct keeper *keeper, uint32_t idle_ms)
{
	struct forwarder_message message = {.verb = FORWARDER_DRAIN, .serial = idle_ms};

	if (keeper->forwarder.channel >= 0)
		check_told(keeper, socket_send(keeper->forwarder.channel, &message, sizeof(message),
					       NULL, 0));
}

void keeper_tell_forwarder_ports(struct keeper *keeper)
{
	const struct start_message *m = &keeper->message;

	for (uint32_t i = 0; i < m->n_ports && keeper->forwarder.channel >= 0; i++) {
		struct forwarder_message message = {.verb = FORWARDER_PORT,
						    .serial = m->inside_ports[i],
						    .flags = m->port_flags[i]};

		check_told(keeper, socket_send(keeper->forwarder.channel, &message, sizeof(message),
					       &keeper->listeners[i], 1));
	}
}
