/* SPDX-License-Identifier: Apache-2.0 */
/* What clients ask the keeper for, and its answers; only for clients*.c. */
#ifndef KEEPER_CLIENTS_H
#define KEEPER_CLIENTS_H

#include "keeper/keeper.h"

/* One packet of a client, as the verbs' functions get it. */
struct request {
	struct keeper *keeper;
	struct client *client;
	struct control_packet *packet;
	const int *fds;
	size_t n_fds;
};

/* An answer that cannot be sent is the end of the connection. */
void client_answer(struct keeper *keeper, struct client *client,
		   const struct control_packet *packet, const int *fds, size_t n_fds);
void client_answer_ok(struct keeper *keeper, struct client *client);
void client_answer_failed(struct keeper *keeper, struct client *client, const struct error *err);

/* It is told stages and the end from now on. */
void client_watch(const struct request *request);

void client_on_release(const struct request *request);

/* From one instance, or one keeper, to the next, and from a pool: clients_place.c. */
void client_on_listeners(const struct request *request);
void client_on_take(const struct request *request);
void client_on_drain(const struct request *request);
void client_on_reserve(const struct request *request);
void client_on_port(const struct request *request);
void client_on_grant(const struct request *request);
void client_on_handover(const struct request *request);

#endif
