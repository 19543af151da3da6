/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's connections to commands; see keeper.h. Only root can connect. */
#include "keeper/clients.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/socket.h"

#include <errno.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

static struct client *add_client(struct keeper *keeper, int fd)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &keeper->clients[i];

		if (client->fd < 0) {
			*client = (struct client){.fd = fd};
			return client;
		}
	}
	close(fd);
	return NULL;
}

void clients_init(struct keeper *keeper, int tie)
{
	struct client *client;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		keeper->clients[i].fd = -1;
	keeper->next_key = KEY_CLIENTS;
	/* a command that does not read must never make the keeper wait */
	fcntl(tie, F_SETFL, O_NONBLOCK);
	client = add_client(keeper, tie);
	/* the instance is older than who has it succeeded to, and does not end with that */
	client->tie = !keeper->message.succeeds;
	client->finish = client->watch = true;
}

void clients_accept(struct keeper *keeper)
{
	int fd = accept4(keeper->control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		add_client(keeper, fd);
}

/* The end of a tie that was not released is the end of the instance. */
void clients_close(struct keeper *keeper, struct client *client)
{
	struct control_packet kill_exec = {
		.verb = INIT_EXEC_SIGNAL, .number = client->exec_key, .number2 = SIGKILL};
	bool tied = client->tie;

	if (keeper->successor == client)
		keeper->successor = NULL;
	close(client->fd);
	if (client->exec_key)
		keeper_tell_init(keeper, &kill_exec, NULL, 0);
	*client = (struct client){.fd = -1};
	if (tied)
		keeper_stop(keeper, "its command went away");
}

bool clients_tied(const struct keeper *keeper)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (keeper->clients[i].fd >= 0 && keeper->clients[i].tie)
			return true;
	return false;
}

void client_answer(struct keeper *keeper, struct client *client,
		   const struct control_packet *packet, const int *fds, size_t n_fds)
{
	if (control_send(client->fd, packet, fds, n_fds) < 0)
		clients_close(keeper, client);
}

void client_answer_ok(struct keeper *keeper, struct client *client)
{
	struct control_packet packet = {.verb = CONTROL_OK};

	client_answer(keeper, client, &packet, NULL, 0);
}

void client_answer_failed(struct keeper *keeper, struct client *client, const struct error *err)
{
	struct control_packet packet = {.verb = CONTROL_FAILED, .error = *err};

	client_answer(keeper, client, &packet, NULL, 0);
}

void client_watch(const struct request *request)
{
	request->client->watch = true;
	request->client->finish = request->packet->finish;
}

/* A command that comes to watch is told at once what it may have missed. */
static void on_watch(const struct request *request)
{
	const struct status *status = &request->keeper->status;
	struct control_packet ready = {
		.verb = CONTROL_READY,
		.number = status->ready_ns - status->started_ns,
	};

	client_watch(request);
	if (status->state == STATE_READY)
		client_answer(request->keeper, request->client, &ready, NULL, 0);
}

void client_on_release(const struct request *request)
{
	request->client->tie = request->client->finish = false;
	client_answer_ok(request->keeper, request->client);
}

static void on_stop(const struct request *request)
{
	const char *reason = request->packet->text ? request->packet->text : "stopped";

	client_watch(request);
	handover_cancel(request->keeper, reason);
	keeper_stop(request->keeper, reason);
}

static void on_kill(const struct request *request)
{
	const char *reason = request->packet->text ? request->packet->text : "killed";

	client_watch(request);
	handover_cancel(request->keeper, reason);
	keeper_kill(request->keeper, reason);
}

/* Whoever uses a frozen instance wants it to go on. */
static void use(struct keeper *keeper)
{
	if (deadline_thaw(keeper))
		keeper_tell_forwarder(keeper, FORWARDER_OPEN);
	deadline_touch(keeper);
}

static void on_lease(const struct request *request)
{
	request->keeper->message.lease = request->packet->lease;
	use(request->keeper);
	client_answer_ok(request->keeper, request->client);
}

static void on_touch(const struct request *request)
{
	struct keeper *keeper = request->keeper;
	struct error err;

	if (deadline_is_over(keeper)) {
		error_say(&err, ERROR_REFUSED,
			  "its time is over: 'stint extend' lets it go on from where it is");
		client_answer_failed(keeper, request->client, &err);
		return;
	}
	use(keeper);
	client_answer_ok(keeper, request->client);
}

/* A pipe is opened again by its name, as /dev/stdout, by who it belongs to. */
static void give_pipes(const struct request *request)
{
	const struct start_message *m = &request->keeper->message;
	const struct control_packet *packet = request->packet;
	uid_t uid = userns_host_id(&m->uids, packet->as_user ? packet->uid : m->uid);
	gid_t gid = userns_host_id(&m->gids, packet->as_user ? packet->gid : m->gid);

	keeper_raise(NEED_CHOWN);
	for (size_t i = 0; i < request->n_fds; i++) {
		struct stat st;

		if (fstat(request->fds[i], &st) == 0 && S_ISFIFO(st.st_mode))
			(void)!fchown(request->fds[i], uid, gid);
	}
	keeper_raise(NEED_NOTHING);
}

static void on_exec(const struct request *request)
{
	struct keeper *keeper = request->keeper;
	struct client *client = request->client;
	struct control_packet *packet = request->packet;
	struct error err;

	if (keeper->phase != PHASE_RUNNING || keeper->status.state == STATE_FROZEN ||
	    spare_waits(keeper) || client->exec_key || !packet->argv[0]) {
		error_say(&err, ERROR_FAILED, "nothing can be executed now: the instance is %s",
			  instance_state_name(keeper->status.state));
		client_answer_failed(keeper, client, &err);
		return;
	}
	client->exec_key = keeper->next_key++;
	packet->verb = INIT_EXEC;
	packet->number = client->exec_key;
	give_pipes(request);
	keeper_tell_init(keeper, packet, request->fds, request->n_fds);
}

static void on_exec_signal(const struct request *request)
{
	struct control_packet forward = {.verb = INIT_EXEC_SIGNAL,
					 .number = request->client->exec_key,
					 .number2 = request->packet->number};

	if (request->client->exec_key)
		keeper_tell_init(request->keeper, &forward, NULL, 0);
}

/* Init is our child and not reaped, so its number cannot be another's. */
static void on_root(const struct request *request)
{
	struct keeper *keeper = request->keeper;
	struct control_packet reply = {.verb = CONTROL_ROOT_IS};
	cleanup_fd int root = -1;
	struct error err;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root", keeper->init.pid);
	keeper_raise(NEED_ROOT_OF_INIT);
	if (keeper->phase == PHASE_RUNNING || keeper->phase == PHASE_STOPPING)
		root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	keeper_raise(NEED_NOTHING);
	if (root < 0) {
		error_say(&err, ERROR_FAILED, "the instance's files cannot be reached now");
		client_answer_failed(keeper, request->client, &err);
		return;
	}
	client_answer(keeper, request->client, &reply, &root, 1);
}

static void on_pool(const struct request *request)
{
	struct control_packet reply = {.verb = CONTROL_POOL_IS};

	client_answer(request->keeper, request->client, &reply, &request->keeper->pool, 1);
}

static void on_network(const struct request *request)
{
	struct control_packet reply = {.verb = CONTROL_NETWORK_IS};

	client_answer(request->keeper, request->client, &reply, &request->keeper->netns, 1);
}

static void on_counts(const struct request *request)
{
	struct control_packet reply = {.verb = CONTROL_COUNTS_ARE};

	client_answer(request->keeper, request->client, &reply, &request->keeper->counts,
		      request->keeper->counts >= 0);
}

static void on_empty(const struct request *request)
{
	struct control_packet reply = {.verb = CONTROL_EMPTY_IS};

	client_answer(request->keeper, request->client, &reply, &request->keeper->empty,
		      request->keeper->empty >= 0);
}

static void on_linked(const struct request *request)
{
	guard_set(request->keeper, request->packet->number);
	client_answer_ok(request->keeper, request->client);
	if (request->keeper->link_made)
		return;
	request->keeper->link_made = true;
	keeper_start_server(request->keeper);
}

static void on_guard(const struct request *request)
{
	guard_set(request->keeper, request->keeper->linked);
	client_answer_ok(request->keeper, request->client);
}

static void on_hook(const struct request *request)
{
	const struct control_packet *packet = request->packet;

	hook_ended(request->keeper, packet->number, packet->number2,
		   packet->text ? packet->text : "");
}

static const struct {
	enum control_verb verb;
	void (*act)(const struct request *request);
} verbs[] = {
	{CONTROL_WATCH, on_watch},
	{CONTROL_RELEASE, client_on_release},
	{CONTROL_STOP, on_stop},
	{CONTROL_KILL, on_kill},
	{CONTROL_LEASE, on_lease},
	{CONTROL_EXEC, on_exec},
	{CONTROL_ROOT, on_root},
	{CONTROL_EXEC_SIGNAL, on_exec_signal},
	{CONTROL_POOL, on_pool},
	{CONTROL_NETWORK, on_network},
	{CONTROL_LINKED, on_linked},
	{CONTROL_COUNTS, on_counts},
	{CONTROL_EMPTY, on_empty},
	{CONTROL_GUARD, on_guard},
	{CONTROL_TOUCH, on_touch},
	{CONTROL_HOOK, on_hook},
	{CONTROL_TAKE, client_on_take},
	{CONTROL_DRAIN, client_on_drain},
	{CONTROL_LISTENERS, client_on_listeners},
	{CONTROL_HANDOVER, client_on_handover},
	{CONTROL_RESERVE, client_on_reserve},
	{CONTROL_PORT, client_on_port},
	{CONTROL_GRANT, client_on_grant},
};

/* From a command of a newer stint, that is: it must not wait for an answer. */
static void answer_unknown(struct keeper *keeper, struct client *client)
{
	struct error err;

	error_say(&err, ERROR_REFUSED,
		  "the instance was started by an older stint, whose keeper cannot do that");
	client_answer_failed(keeper, client, &err);
}

static void act(const struct request *request)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (verbs[i].verb == request->packet->verb) {
			verbs[i].act(request);
			return;
		}
	answer_unknown(request->keeper, request->client);
}

void clients_serve(struct keeper *keeper, struct client *client)
{
	cleanup_packet struct control_packet packet = {0};
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	int r = control_receive(client->fd, &packet, fds, &n_fds);
	struct request request = {
		.keeper = keeper, .client = client, .packet = &packet, .fds = fds, .n_fds = n_fds};

	if (r == -EAGAIN)
		return;
	if (r == -EPROTO) {
		answer_unknown(keeper, client);
		return;
	}
	if (r <= 0) {
		clients_close(keeper, client);
		return;
	}
	act(&request);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
}

/* Of the end also those hear whose command ends with the instance. */
static bool hears(const struct client *client, const struct control_packet *packet)
{
	return client->watch || (client->exec_key && packet->verb == CONTROL_ENDED);
}

void clients_tell(struct keeper *keeper, const struct control_packet *packet)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &keeper->clients[i];

		if (client->fd >= 0 && hears(client, packet))
			client_answer(keeper, client, packet, NULL, 0);
	}
}

struct client *clients_of_exec(struct keeper *keeper, int64_t key)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (keeper->clients[i].fd >= 0 && keeper->clients[i].exec_key == key)
			return &keeper->clients[i];
	return NULL;
}

bool clients_will_finish(const struct keeper *keeper)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (keeper->clients[i].fd >= 0 && keeper->clients[i].finish)
			return true;
	return false;
}
