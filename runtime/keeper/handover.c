/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a keeper to its successor ("stint reset"). A keeper has given away what it takes to make an
 * inside, so another process of the same program makes the new one. When that asks, this one ends
 * everything inside, gives it the liveness lock, the control socket, the listeners, the network and
 * the lease, and goes without a word: for everybody else it is the same instance. Until it has
 * given them, the end of the successor, or a stop, is the end of the instance. See keeper.h.
 */
#include "keeper/keeper.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/socket.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#define ANSWER_BOUND_S 30   /* more than killing and draining may take (life.c) */
#define SERVE_ROUNDS_MAX 64 /* of what commands send at the last moment */

enum part { PART_LOCK, PART_CONTROL, PART_NETWORK, PART_COUNTS, PARTS };

/* Of a command that it belongs to, or that waits for it. */
static bool has_other_tie(const struct keeper *keeper, const struct client *asking)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		const struct client *client = &keeper->clients[i];

		if (client != asking && client->fd >= 0 && (client->tie || client->finish))
			return true;
	}
	return false;
}

int handover_begin(struct keeper *keeper, struct client *asking, struct error *err)
{
	if (keeper->successor)
		return error_say(err, ERROR_REFUSED, "another command resets it already");
	if (has_other_tie(keeper, asking))
		return error_say(err, ERROR_REFUSED,
				 "a command waits for its end ('stint run', 'stint down', or "
				 "another reset)");
	if (keeper->phase != PHASE_RUNNING || spare_waits(keeper))
		return error_say(err, ERROR_REFUSED, "it is %s: its server does not run",
				 instance_state_name(keeper->status.state));
	if (keeper->drain_until_ns)
		return error_say(err, ERROR_REFUSED, "another instance has taken its place");
	if (deadline_is_over(keeper))
		return error_say(err, ERROR_REFUSED,
				 "its time is over: give it more with 'stint extend' first");
	keeper->successor = asking;
	keeper_fail(keeper, "reset failed: the new keeper was lost");
	return 0;
}

static void refuse(struct client *client, const char *why)
{
	struct control_packet failed = {.verb = CONTROL_FAILED};

	error_say(&failed.error, ERROR_REFUSED, "%s", why);
	(void)control_send(client->fd, &failed, NULL, 0);
}

void handover_cancel(struct keeper *keeper, const char *reason)
{
	if (!keeper->successor)
		return;
	refuse(keeper->successor, "it was stopped meanwhile");
	keeper->successor = NULL;
	keeper->status.failed = false;
	text_cutf(keeper->status.reason, sizeof(keeper->status.reason), "%s", reason);
}

/* Whoever was heard, an extension above all, has had an answer before this process goes. */
static void serve_all(struct keeper *keeper)
{
	bool more = true;

	for (int round = 0; more && round < SERVE_ROUNDS_MAX; round++) {
		more = false;
		for (size_t i = 0; i < CLIENTS_MAX; i++) {
			struct pollfd polled = {.fd = keeper->clients[i].fd, .events = POLLIN};

			if (polled.fd < 0 || poll(&polled, 1, 0) <= 0)
				continue;
			clients_serve(keeper, &keeper->clients[i]);
			more = true;
		}
	}
}

static int give_parts(const struct keeper *keeper)
{
	const int fds[PARTS] = {[PART_LOCK] = keeper->lock,
				[PART_CONTROL] = keeper->control,
				[PART_NETWORK] = keeper->netns,
				[PART_COUNTS] = keeper->counts};
	const struct control_packet packet = {.verb = CONTROL_HANDED_OVER,
					      .lease = keeper->message.lease,
					      .number = keeper->linked};

	return control_send(keeper->successor->fd, &packet, fds,
			    keeper->counts >= 0 ? PARTS : PART_COUNTS);
}

static int give_listeners(const struct keeper *keeper)
{
	const struct control_packet packet = {.verb = CONTROL_HANDED_OVER};
	size_t left = keeper->message.n_ports;
	const int *next = keeper->listeners;
	int r = 0;

	while (r == 0 && left > 0) {
		size_t n = left < SOCKET_FDS_MAX ? left : SOCKET_FDS_MAX;

		r = control_send(keeper->successor->fd, &packet, next, n);
		next += n;
		left -= n;
	}
	return r;
}

bool handover_give(struct keeper *keeper)
{
	siginfo_t info;

	if (keeper->successor)
		serve_all(keeper);
	if (!keeper->successor)
		return false;
	if (keeper->init.pidfd >= 0) {
		refuse(keeper->successor, "something in it does not die: it waits in the kernel");
		return false;
	}
	/* it was killed when it took too long */
	if (keeper->forwarder.pidfd >= 0)
		waitid(P_PIDFD, (id_t)keeper->forwarder.pidfd, &info, WEXITED);
	(void)fault_at("keeper: hand over", NULL);
	return give_parts(keeper) == 0 && give_listeners(keeper) == 0;
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

/* The descriptors of the next packet. */
static int receive(int from, struct control_packet *packet, int *fds, size_t *ret_n,
		   struct error *err)
{
	int r = control_receive(from, packet, fds, ret_n);

	if (r == 0 || r == -ECONNRESET)
		return error_say(err, ERROR_REFUSED,
				 "its keeper went away meanwhile; look with 'stint ls'");
	if (r < 0)
		return error_set(err, -r, "its keeper does not answer");
	if (packet->verb == CONTROL_HANDED_OVER)
		return 0;
	close_all(fds, *ret_n);
	*ret_n = 0;
	if (packet->verb != CONTROL_FAILED || !packet->error.code)
		return error_say(err, ERROR_FAILED, "its keeper answers nonsense");
	*err = packet->error;
	return err->code;
}

static int take_parts(struct keeper *keeper, struct error *err)
{
	cleanup_packet struct control_packet packet = {0};
	int fds[SOCKET_FDS_MAX];
	size_t n = 0;
	int r = receive(keeper->predecessor, &packet, fds, &n, err);

	if (r < 0)
		return r;
	if (n < PART_COUNTS || n > PARTS) {
		close_all(fds, n);
		return error_say(err, ERROR_FAILED, "its keeper gives too little");
	}
	/*
	 * Stand-ins. The first is a hold on all zones: no link was made, or taken, from what the
	 * predecessor gave to what it does not answer any more.
	 */
	close(keeper->lock);
	close(keeper->control);
	keeper->lock = fds[PART_LOCK];
	keeper->control = fds[PART_CONTROL];
	keeper->netns = fds[PART_NETWORK];
	keeper->counts = n > PART_COUNTS ? fds[PART_COUNTS] : -1;
	keeper->message.lease = packet.lease;
	keeper->message.awaits_link = keeper->link_made = packet.number;
	/* nothing leads there: a new one has no connection that the kernel still remembers */
	if (!keeper->link_made)
		cleanup_close(&keeper->netns);
	return 0;
}

static int take_listeners(struct keeper *keeper, struct error *err)
{
	size_t have = 0, wanted = keeper->message.n_ports;

	while (have < wanted) {
		cleanup_packet struct control_packet packet = {0};
		int fds[SOCKET_FDS_MAX];
		size_t n = 0;
		int r = receive(keeper->predecessor, &packet, fds, &n, err);

		if (r < 0)
			return r;
		if (n == 0 || n > wanted - have) {
			close_all(fds, n);
			return error_say(err, ERROR_FAILED, "its keeper gives other ports");
		}
		for (size_t i = 0; i < n; i++)
			keeper->listeners[have++] = fds[i];
	}
	return 0;
}

int handover_take(struct keeper *keeper, struct error *err)
{
	const struct control_packet question = {.verb = CONTROL_HANDOVER};
	const struct timeval bound = {.tv_sec = ANSWER_BOUND_S};
	int r;

	setsockopt(keeper->predecessor, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
	r = control_send(keeper->predecessor, &question, NULL, 0);
	if (r < 0)
		return error_set(err, -r, "its keeper does not listen");
	r = take_parts(keeper, err);
	if (r == 0)
		r = take_listeners(keeper, err);
	cleanup_close(&keeper->predecessor);
	return r;
}
