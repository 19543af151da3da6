/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of commands that put something in the place of something else: a successor in that of
 * an instance, a keeper in that of another, a spare in that of an instance to be made. See
 * clients.h.
 */
#include "keeper/clients.h"
#include "base/socket.h"

void client_on_handover(const struct request *request)
{
	struct error err;

	if (handover_begin(request->keeper, request->client, &err) < 0)
		client_answer_failed(request->keeper, request->client, &err);
}

/* What fits into one packet. */
void client_on_listeners(const struct request *request)
{
	struct keeper *keeper = request->keeper;
	struct control_packet reply = {.verb = CONTROL_LISTENERS_ARE,
				       .number = keeper->message.n_ports};
	int64_t first = request->packet->number, n = keeper->message.n_ports - first;
	struct error err;

	if (keeper->phase > PHASE_RUNNING || keeper->status.state == STATE_FROZEN ||
	    spare_waits(keeper) || keeper->drain_until_ns || clients_tied(keeper)) {
		error_say(&err, ERROR_REFUSED, "it cannot be replaced: %s",
			  clients_tied(keeper) ? "it ends with the command that started it"
					       : instance_state_name(keeper->status.state));
		client_answer_failed(keeper, request->client, &err);
		return;
	}
	if (first < 0 || n < 0)
		n = first = 0;
	client_answer(keeper, request->client, &reply, keeper->listeners + first,
		      (size_t)(n < SOCKET_FDS_MAX ? n : SOCKET_FDS_MAX));
}

void client_on_take(const struct request *request)
{
	struct error err;

	if (succession_take(request->keeper, request->packet->number, &err) < 0)
		client_answer_failed(request->keeper, request->client, &err);
	else
		client_on_release(request);
}

void client_on_drain(const struct request *request)
{
	if (request->packet->finish)
		client_watch(request);
	succession_drain(request->keeper,
			 request->packet->text ? request->packet->text : "replaced",
			 request->packet->number);
	client_answer_ok(request->keeper, request->client);
}

void client_on_reserve(const struct request *request)
{
	struct error err;

	if (spare_reserve(request->keeper, request->client, &err) < 0)
		client_answer_failed(request->keeper, request->client, &err);
	else
		client_answer_ok(request->keeper, request->client);
}

/* One that fails is told to who waits for the grant. */
void client_on_port(const struct request *request)
{
	const struct control_packet *packet = request->packet;
	struct error err;

	if (request->n_fds != 1)
		error_say(&err, ERROR_FAILED, "a port without a socket");
	else if (spare_add_port(request->keeper, request->client, (uint16_t)packet->number,
				(uint8_t)packet->number2, request->fds[0], &err) == 0)
		return;
	client_answer_failed(request->keeper, request->client, &err);
}

void client_on_grant(const struct request *request)
{
	struct error err;

	if (spare_grant(request->keeper, request->client, &request->packet->lease, &err) < 0)
		client_answer_failed(request->keeper, request->client, &err);
}
