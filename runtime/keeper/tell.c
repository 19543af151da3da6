/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper says to its two children; see keeper.h. */
#include "keeper/keeper.h"
#include "base/socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

/* Of a host with much to do: it is waited for once, and then the instance ends. */
#define INIT_PATIENCE_MS 1000

/*
 * Who did not hear that it should begin would never answer, and whoever hears nothing any more
 * cannot be told to stop. One that died is noticed as such.
 */
static void check_told(struct keeper *keeper, const char *child, int r)
{
	char reason[CONTROL_REASON_SIZE];

	if ((r == -ENOMEM || r == -ENOBUFS) && keeper->phase == PHASE_RUNNING) {
		keeper_fail(keeper, "the host has no memory for messages");
	} else if (r == -EAGAIN || r == -ETOOMANYREFS) {
		snprintf(reason, sizeof(reason), "%s does not listen any more", child);
		keeper_fail(keeper, reason);
	}
}

void keeper_tell_init(struct keeper *keeper, struct control_packet *packet, const int *fds,
		      size_t n_fds)
{
	struct pollfd polled = {.fd = keeper->init.channel, .events = POLLOUT};
	int r;

	if (keeper->init.channel < 0)
		return;
	r = control_send(keeper->init.channel, packet, fds, n_fds);
	if (r == -EAGAIN && keeper->phase < PHASE_KILLING) {
		poll(&polled, 1, INIT_PATIENCE_MS);
		r = control_send(keeper->init.channel, packet, fds, n_fds);
	}
	check_told(keeper, "init", r);
}

static void tell_forwarder(struct keeper *keeper, const struct forwarder_message *message,
			   const int *fds, size_t n_fds)
{
	if (keeper->forwarder.channel >= 0)
		check_told(keeper, "the forwarder",
			   socket_send(keeper->forwarder.channel, message, sizeof(*message), fds,
				       n_fds));
}

void keeper_tell_forwarder(struct keeper *keeper, enum forwarder_verb verb)
{
	const struct forwarder_message message = {.verb = verb, .serial = keeper->status.restarts};

	tell_forwarder(keeper, &message, NULL, 0);
}

/* Nothing depends on it. */
void keeper_tell_forwarder_left(struct keeper *keeper, uint32_t seconds, bool idle)
{
	const struct forwarder_message message = {
		.verb = FORWARDER_WARN, .serial = seconds, .idle = idle};

	if (keeper->forwarder.channel >= 0)
		(void)socket_send(keeper->forwarder.channel, &message, sizeof(message), NULL, 0);
}

void keeper_tell_forwarder_drain(struct keeper *keeper, uint32_t idle_ms)
{
	const struct forwarder_message message = {.verb = FORWARDER_DRAIN, .serial = idle_ms};

	tell_forwarder(keeper, &message, NULL, 0);
}

void keeper_tell_forwarder_ports(struct keeper *keeper)
{
	const struct start_message *m = &keeper->message;

	for (uint32_t i = 0; i < m->n_ports; i++) {
		const struct forwarder_message message = {.verb = FORWARDER_PORT,
							  .serial = m->inside_ports[i],
							  .flags = m->port_flags[i]};

		tell_forwarder(keeper, &message, &keeper->listeners[i], 1);
	}
}
