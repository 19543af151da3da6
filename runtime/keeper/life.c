/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to an instance and what its keeper does about it. Every event changes the phase,
 * the state or a deadline; the phases only go forward: set up, running, stopping, killing,
 * draining, over.
 */
#include "keeper/keeper.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define KILL_BOUND_NS (10 * NSEC_PER_SEC)
#define DRAIN_BOUND_NS (2 * NSEC_PER_SEC)
#define STATUS_AGAIN_NS (100 * NSEC_PER_MSEC)
#define FORWARDER_RESTARTS_MAX 5

void keeper_write_status(struct keeper *keeper)
{
	/* a full run directory costs the list its news, nothing else, and not for good */
	bool written = status_write(keeper->run, &keeper->status) == 0;

	keeper->status_at_ns = written ? 0 : clock_boottime_ns() + STATUS_AGAIN_NS;
}

static void set_reason(struct keeper *keeper, const char *reason)
{
	if (!*keeper->status.reason)
		text_cutf(keeper->status.reason, sizeof(keeper->status.reason), "%s", reason);
}

static void tell_stage(struct keeper *keeper, const char *stage, bool started)
{
	struct control_packet packet = {
		.verb = CONTROL_STAGE,
		.text = (char *)stage,
		.number = clock_boottime_ns() - keeper->status.started_ns,
		.number2 = started,
	};

	clients_tell(keeper, &packet);
}

static void kill_child(const struct child_process *child)
{
	keeper_raise(NEED_KILL);
	process_pidfd_signal(child->pidfd, SIGKILL);
	keeper_raise(NEED_NOTHING);
}

void keeper_kill(struct keeper *keeper, const char *reason)
{
	if (keeper->phase >= PHASE_KILLING)
		return;
	set_reason(keeper, reason);
	deadline_thaw(keeper);
	(void)fault_at("keeper: kill init", NULL);
	keeper->phase = PHASE_KILLING;
	keeper->act_at_ns = clock_boottime_ns() + KILL_BOUND_NS;
	keeper->status.state = STATE_STOPPING;
	kill_child(&keeper->init);
}

void keeper_fail(struct keeper *keeper, const char *reason)
{
	if (keeper->phase < PHASE_STOPPING)
		keeper->status.failed = true;
	keeper_kill(keeper, reason);
}

void keeper_ask_server(struct keeper *keeper)
{
	const struct start_message *m = &keeper->message;
	struct control_packet signal = {.verb = INIT_SIGNAL_SERVER, .number = m->stop_signal};
	struct control_packet command = {
		.verb = INIT_EXEC, .number = KEY_STOP, .argv = m->stop_command};

	keeper->act_at_ns = clock_boottime_ns() + m->grace_ns;
	keeper_tell_init(keeper, m->stop_command && m->stop_command[0] ? &command : &signal, NULL,
			 0);
}

void keeper_stop(struct keeper *keeper, const char *reason)
{
	if (keeper->phase >= PHASE_STOPPING)
		return;
	if (!keeper->server_alive || keeper->message.grace_ns == 0 || spare_waits(keeper)) {
		keeper_kill(keeper, reason);
		return;
	}
	set_reason(keeper, reason);
	(void)fault_at("keeper: stop the server", NULL);
	deadline_thaw(keeper);
	keeper->phase = PHASE_STOPPING;
	keeper->status.state = STATE_STOPPING;
	keeper_write_status(keeper);
	keeper_tell_event(keeper, "stopping", keeper->status.reason);
	if (hook_begin(keeper, HOOK_BEFORE_STOP))
		keeper->act_at_ns = keeper->hook_until_ns;
	else
		keeper_ask_server(keeper);
}

static void on_server_started(struct keeper *keeper)
{
	(void)fault_at("keeper: the server is started", NULL);
	keeper->server_alive = true;
	keeper->server_started_ns = clock_boottime_ns();
	keeper->next_probe_ns = keeper->server_started_ns;
	keeper->tried = (struct tried){.outcome = TRIED_NOTHING};
	keeper->status.state = STATE_STARTING;
	if (keeper->phase == PHASE_SET_UP)
		keeper->phase = PHASE_RUNNING;
	keeper_write_status(keeper);
	if (keeper->status.restarts == 0)
		keeper_tell_event(keeper, "starting", "");
	tell_stage(keeper, "server started", true);
	keeper_tell_forwarder(keeper, FORWARDER_SERVER_STARTED);
}

static bool restart_server(struct keeper *keeper, bool failed)
{
	struct control_packet start = {.verb = INIT_START_SERVER};

	if (!failed || keeper->phase != PHASE_RUNNING || keeper->drain_until_ns ||
	    spare_waits(keeper) || keeper->message.restart != RESTART_ON_FAILURE ||
	    keeper->status.restarts >= keeper->message.restart_limit)
		return false;
	keeper->status.restarts++;
	keeper->status.state = STATE_STARTING;
	keeper->answers = false;
	keeper_tell_forwarder(keeper, FORWARDER_PAUSE);
	tell_stage(keeper, "server failed, started again", false);
	keeper_tell_init(keeper, &start, NULL, 0);
	return true;
}

bool keeper_check_memory(struct keeper *keeper)
{
	char reason[CONTROL_REASON_SIZE];

	if (keeper->phase > PHASE_STOPPING || !memory_watch_killed(&keeper->memory))
		return false;
	memory_watch_reason(&keeper->memory, reason, sizeof(reason));
	keeper_fail(keeper, reason);
	return true;
}

static void on_server_exited(struct keeper *keeper, int wait_status)
{
	bool exited = WIFEXITED(wait_status);
	char reason[CONTROL_REASON_SIZE];
	const char *full;

	keeper->server_alive = false;
	keeper->status.exit_status = exited ? WEXITSTATUS(wait_status) : -1;
	keeper->status.exit_signal = exited ? 0 : WTERMSIG(wait_status);
	/* that is an end whatever the restart policy says: the same would happen again */
	if (keeper->status.exit_signal == SIGKILL && keeper_check_memory(keeper))
		return;
	full = keeper_disk_is_full(keeper) ? " (disk full)" : "";
	if (exited)
		snprintf(reason, sizeof(reason), "server exited with status %d%s",
			 WEXITSTATUS(wait_status), full);
	else
		snprintf(reason, sizeof(reason), "server was killed by signal %d (%s)%s",
			 WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)), full);
	if (restart_server(keeper, !exited || WEXITSTATUS(wait_status) != 0)) {
		keeper_tell_event(keeper, "restarted", reason);
		keeper->status.exit_status = -1;
		keeper->status.exit_signal = 0;
		return;
	}
	if (exited && WEXITSTATUS(wait_status) == 0)
		keeper_kill(keeper, reason);
	else
		keeper_fail(keeper, reason);
}

/* A failure of the set-up or of the server's start is told to the starting command as it is. */
static void on_init_failed(struct keeper *keeper, const struct control_packet *packet)
{
	struct control_packet failed = {.verb = CONTROL_FAILED, .error = packet->error};
	struct client *client;
	char reason[CONTROL_REASON_SIZE];

	if (packet->number == 0) {
		text_cutf(reason, sizeof(reason), "failed to start: %s", packet->error.text);
		clients_tell(keeper, &failed);
		keeper_fail(keeper, reason);
		return;
	}
	client = clients_of_exec(keeper, packet->number);
	if (packet->number == KEY_PROBE) {
		keeper->probe_running = false;
		keeper->tried.outcome = TRIED_NOT_EXECUTED;
	}
	if (packet->number == KEY_STOP)
		keeper->act_at_ns = clock_boottime_ns();
	if (client && packet->number >= KEY_CLIENTS) {
		client->exec_key = 0;
		if (control_send(client->fd, &failed, NULL, 0) < 0)
			clients_close(keeper, client);
	}
}

static void on_exec_started(struct keeper *keeper, const struct control_packet *packet,
			    const int *fds, size_t n_fds)
{
	struct client *client = clients_of_exec(keeper, packet->number);
	struct control_packet started = {.verb = CONTROL_EXEC_STARTED};

	if (packet->number >= KEY_CLIENTS && client &&
	    control_send(client->fd, &started, fds, n_fds) < 0)
		clients_close(keeper, client);
}

static void on_exec_exited(struct keeper *keeper, int64_t key, int wait_status)
{
	struct control_packet exited = {.verb = CONTROL_EXEC_EXITED, .number = wait_status};
	struct client *client = clients_of_exec(keeper, key);

	if (key == KEY_PROBE) {
		keeper->probe_running = false;
		keeper->tried =
			(struct tried){.outcome = TRIED_EXITED, .detail = (uint32_t)wait_status};
		keeper->next_probe_ns = clock_boottime_ns() + keeper->message.ready.interval_ns;
		if (wait_status == 0 && keeper->status.state == STATE_STARTING) {
			succession_open(keeper);
			ready_answers(keeper);
		}
	}
	if (key < KEY_CLIENTS || !client)
		return;
	client->exec_key = 0;
	deadline_touch(keeper);
	if (control_send(client->fd, &exited, NULL, 0) < 0)
		clients_close(keeper, client);
}

void keeper_start_server(struct keeper *keeper)
{
	struct control_packet start = {.verb = INIT_START_SERVER};

	if (keeper->phase != PHASE_SET_UP || !keeper->inside_made ||
	    (keeper->message.awaits_link && !keeper->link_made))
		return;
	tell_stage(keeper, "sandbox made", false);
	keeper_tell_init(keeper, &start, NULL, 0);
}

static void on_set_up(struct keeper *keeper)
{
	(void)fault_at("keeper: the inside is made", NULL);
	keeper->inside_made = true;
	keeper_start_server(keeper);
}

void keeper_serve_init(struct keeper *keeper)
{
	cleanup_packet struct control_packet packet = {0};
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	int r = control_receive(keeper->init.channel, &packet, fds, &n_fds);

	if (r == -EAGAIN)
		return;
	if (r <= 0) {
		cleanup_close(&keeper->init.channel);
		keeper_fail(keeper, "init was lost");
		return;
	}
	if (packet.verb == INIT_SET_UP)
		on_set_up(keeper);
	else if (packet.verb == INIT_SERVER_STARTED)
		on_server_started(keeper);
	else if (packet.verb == INIT_SERVER_EXITED)
		on_server_exited(keeper, (int)packet.number);
	else if (packet.verb == INIT_FAILED)
		on_init_failed(keeper, &packet);
	else if (packet.verb == INIT_EXEC_STARTED)
		on_exec_started(keeper, &packet, fds, n_fds);
	else if (packet.verb == INIT_EXEC_EXITED)
		on_exec_exited(keeper, packet.number, (int)packet.number2);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
}

void keeper_serve_forwarder(struct keeper *keeper)
{
	struct forwarder_message message;
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	ssize_t n =
		socket_receive(keeper->forwarder.channel, &message, sizeof(message), fds, &n_fds);

	for (size_t i = 0; n > 0 && i < n_fds; i++)
		close(fds[i]);
	if (n == -EAGAIN)
		return;
	if (n <= 0)
		cleanup_close(&keeper->forwarder.channel);
	else if (n == (ssize_t)sizeof(message) && message.verb == FORWARDER_DRAINED)
		succession_end(keeper);
	else if (n != (ssize_t)sizeof(message) || message.serial != keeper->status.restarts)
		return; /* of one that has died meanwhile */
	else if (message.verb == FORWARDER_READY)
		ready_answers(keeper);
	else if (message.verb == FORWARDER_TRIED)
		ready_tried(keeper, &message.tried);
}

static void reap(struct child_process *child)
{
	siginfo_t info;

	waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED);
	cleanup_close(&child->pidfd);
	cleanup_close(&child->channel);
}

/* Everything inside died with init: what the server wrote last is in the pipes. */
void keeper_on_init_died(struct keeper *keeper)
{
	/* its last words may still wait in the channel */
	while (keeper->init.channel >= 0) {
		struct pollfd polled = {.fd = keeper->init.channel, .events = POLLIN};

		if (poll(&polled, 1, 0) <= 0)
			break;
		keeper_serve_init(keeper);
	}
	(void)fault_at("keeper: init is gone", NULL);
	reap(&keeper->init);
	if (keeper->phase < PHASE_STOPPING)
		keeper->status.failed = true;
	set_reason(keeper, "init was lost");
	keeper->phase = PHASE_DRAINING;
	keeper->act_at_ns = clock_boottime_ns() + DRAIN_BOUND_NS;
	keeper_tell_forwarder(keeper, FORWARDER_FINISH);
	if (keeper->forwarder.pidfd < 0)
		keeper->phase = PHASE_OVER;
}

/* One that has just begun: what its predecessor knew. */
static void answer_forwarder(struct keeper *keeper)
{
	if (keeper->status.state == STATE_READY)
		succession_open(keeper);
	else
		keeper_tell_forwarder(keeper, FORWARDER_SERVER_STARTED);
}

void keeper_on_forwarder_died(struct keeper *keeper)
{
	struct error err;

	reap(&keeper->forwarder);
	if (keeper->phase == PHASE_DRAINING) {
		keeper->phase = PHASE_OVER;
		return;
	}
	/* its connections went with it */
	if (keeper->drain_until_ns && keeper->phase < PHASE_STOPPING) {
		succession_end(keeper);
		return;
	}
	if (keeper->forwarder_restarts++ < FORWARDER_RESTARTS_MAX &&
	    keeper->phase < PHASE_KILLING && keeper_start_forwarder(keeper, &err) == 0) {
		if (keeper->server_alive && keeper->status.state != STATE_FROZEN &&
		    !spare_waits(keeper))
			answer_forwarder(keeper);
		return;
	}
	keeper_fail(keeper, "the forwarder was lost");
}

/* What waits longer than its bound is given up: the end goes on, and says what stays behind. */
static void check_phase(struct keeper *keeper, int64_t now)
{
	if (keeper->phase < PHASE_STOPPING || now < keeper->act_at_ns)
		return;
	if (keeper->phase == PHASE_STOPPING) {
		keeper_kill(keeper, "");
	} else if (keeper->phase == PHASE_DRAINING || keeper->forwarder.pidfd < 0) {
		if (keeper->forwarder.pidfd >= 0)
			kill_child(&keeper->forwarder);
		keeper->phase = PHASE_OVER;
	} else {
		keeper->phase = PHASE_OVER; /* init cannot be killed: the undo will say so */
	}
}

void keeper_check(struct keeper *keeper)
{
	int64_t now = clock_boottime_ns();

	keeper_check_memory(keeper);
	if (keeper->status_at_ns && now >= keeper->status_at_ns)
		keeper_write_status(keeper);
	deadline_check(keeper, now);
	ready_check(keeper, now);
	hook_check(keeper, now);
	succession_check(keeper, now);
	check_phase(keeper, now);
	guard_check(keeper, now);
}
