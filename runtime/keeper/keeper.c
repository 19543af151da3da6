/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's program: takes the start message, starts init and forwarder, runs one loop over a
 * handful of descriptors until the instance is over, and hands the rest to whoever undoes it.
 */
#include "keeper/keeper.h"
#include "keeper/turn.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/text.h"
#include "cgroup/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#define NEVER INT64_MAX

static int64_t earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_boot_event(const struct keeper *keeper, int64_t next)
{
	const struct start_message *m = &keeper->message;

	if (keeper->phase >= PHASE_STOPPING)
		next = earliest(next, keeper->act_at_ns);
	if (keeper->phase <= PHASE_STOPPING)
		next = earliest(next, memory_watch_next(&keeper->memory, clock_boottime_ns()));
	if (keeper->status_at_ns)
		next = earliest(next, keeper->status_at_ns);
	if (keeper->hook >= 0)
		next = earliest(next, keeper->hook_until_ns);
	if (keeper->guard_at_ns)
		next = earliest(next, keeper->guard_at_ns);
	next = earliest(next, succession_next(keeper));
	if (keeper->phase == PHASE_RUNNING && keeper->status.state == STATE_STARTING &&
	    !keeper->answers) {
		if (m->ready.timeout_ns)
			next = earliest(next, keeper->server_started_ns + m->ready.timeout_ns);
		if (m->ready.kind == READY_COMMAND && !keeper->probe_running)
			next = earliest(next, keeper->next_probe_ns);
	}
	return next;
}

static void arm(int timer, int flags, int64_t when)
{
	struct itimerspec spec = {
		.it_value = {.tv_sec = when / NSEC_PER_SEC, .tv_nsec = when % NSEC_PER_SEC}};

	if (when == NEVER)
		spec = (struct itimerspec){0};
	else if (when <= 0)
		spec.it_value = (struct timespec){.tv_nsec = 1};
	timerfd_settime(timer, TFD_TIMER_ABSTIME | flags, &spec, NULL);
}

static void arm_timers(const struct keeper *keeper)
{
	int64_t wall;
	int64_t deadline = deadline_next(keeper, clock_boottime_ns(), &wall);

	arm(keeper->boot_timer, 0, next_boot_event(keeper, deadline));
	/* the wall clock may be set: then the read fails with ECANCELED and tick() looks again */
	arm(keeper->wall_timer, TFD_TIMER_CANCEL_ON_SET, wall);
}

static void tick(struct keeper *keeper)
{
	keeper_check(keeper);
	arm_timers(keeper);
}

static void serve_signal(struct keeper *keeper)
{
	static const char reason[] = "keeper was told to end by a signal";

	handover_cancel(keeper, reason);
	keeper_stop(keeper, reason);
}

static void drain(int fd)
{
	char bytes[256];

	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
}

enum place {
	PLACE_SIGNALS,
	PLACE_BOOT_TIMER,
	PLACE_WALL_TIMER,
	PLACE_CONTROL,
	PLACE_MEMORY,
	PLACE_GUARD,
	PLACE_INIT,
	PLACE_INIT_PIDFD,
	PLACE_FORWARDER,
	PLACE_FORWARDER_PIDFD,
	PLACE_CLIENTS,
};

static size_t fill_places(const struct keeper *keeper, struct pollfd *polled)
{
	const int fds[PLACE_CLIENTS] = {
		[PLACE_SIGNALS] = keeper->signals,
		[PLACE_BOOT_TIMER] = keeper->boot_timer,
		[PLACE_WALL_TIMER] = keeper->wall_timer,
		[PLACE_CONTROL] = keeper->control,
		[PLACE_MEMORY] = keeper->memory.version ? keeper->memory.event : -1,
		[PLACE_GUARD] = keeper->guard,
		[PLACE_INIT] = keeper->init.channel,
		[PLACE_INIT_PIDFD] = keeper->init.pidfd,
		[PLACE_FORWARDER] = keeper->forwarder.channel,
		[PLACE_FORWARDER_PIDFD] = keeper->forwarder.pidfd,
	};
	size_t n = PLACE_CLIENTS + CLIENTS_MAX;

	for (size_t i = 0; i < n; i++) {
		int fd = i < PLACE_CLIENTS ? fds[i] : keeper->clients[i - PLACE_CLIENTS].fd;

		polled[i] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	polled[PLACE_MEMORY].events = memory_watch_events(&keeper->memory);
	return n;
}

/* poll(2) passes over negative descriptors; what was closed meanwhile is looked up again. */
static void dispatch(struct keeper *keeper, const struct pollfd *polled)
{
	if (polled[PLACE_BOOT_TIMER].revents)
		drain(keeper->boot_timer);
	if (polled[PLACE_WALL_TIMER].revents)
		drain(keeper->wall_timer);
	if (polled[PLACE_MEMORY].revents)
		memory_watch_take(&keeper->memory);
	if (polled[PLACE_GUARD].revents && keeper->guard >= 0)
		guard_take(keeper);
	if (polled[PLACE_INIT].revents && keeper->init.channel >= 0)
		keeper_serve_init(keeper);
	if (polled[PLACE_FORWARDER].revents && keeper->forwarder.channel >= 0)
		keeper_serve_forwarder(keeper);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (polled[PLACE_CLIENTS + i].revents &&
		    keeper->clients[i].fd == polled[PLACE_CLIENTS + i].fd)
			clients_serve(keeper, &keeper->clients[i]);
	if (polled[PLACE_CONTROL].revents)
		clients_accept(keeper);
	if (polled[PLACE_SIGNALS].revents) {
		drain(keeper->signals);
		serve_signal(keeper);
	}
	if (polled[PLACE_INIT_PIDFD].revents)
		keeper_on_init_died(keeper);
	if (polled[PLACE_FORWARDER_PIDFD].revents)
		keeper_on_forwarder_died(keeper);
}

static void run(struct keeper *keeper)
{
	struct pollfd polled[PLACE_CLIENTS + CLIENTS_MAX];

	while (keeper->phase != PHASE_OVER) {
		size_t n = fill_places(keeper, polled);

		tick(keeper);
		if (keeper->phase == PHASE_OVER || poll(polled, n, -1) < 0)
			continue;
		dispatch(keeper, polled);
	}
}

/*
 * Whoever finds no turn must be seen to be gone before it looks for the last time. The turn is for
 * the program that this process turns into.
 */
static bool take_turn(struct keeper *keeper)
{
	keeper->turn = openat(keeper->run, "../../" TURN_FILE, O_CREAT | O_RDWR | O_NOFOLLOW, 0600);
	if (keeper->turn < 0 || turn_take(keeper->turn))
		return true;
	close(keeper->lock);
	return turn_take(keeper->turn);
}

/*
 * A command that waits for the end undoes the instance itself; else this process turns into the
 * program that does, or leaves it to one. The liveness lock goes with the last descriptor.
 */
static int finish(struct keeper *keeper)
{
	struct control_packet ended = {
		.verb = CONTROL_ENDED,
		.text = keeper->status.reason,
		.number = keeper->status.exit_status,
		.number2 = keeper->status.exit_signal,
	};
	char *argv[] = {(char *)"stint", (char *)"reap", keeper->message.id, NULL};

	if (handover_give(keeper))
		return 0;
	keeper_leave_facts(keeper);
	(void)fault_at("keeper: finish", NULL);
	keeper->status.state = STATE_ENDED;
	keeper_write_status(keeper);
	clients_tell(keeper, &ended);
	/* whoever could not be told has been closed by now */
	if (clients_will_finish(keeper))
		return 0;
	if (!take_turn(keeper))
		return 0;
	keeper_become_stint(keeper, argv);
	return 1;
}

static int watch_signals(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int take_message(struct keeper *keeper, struct error *err)
{
	cleanup_free char *data = NULL;
	size_t length;
	int r = file_read(AT_FDCWD, "/proc/self/fd/3", 16 << 20, &data, &length);

	if (r < 0)
		return error_set(err, -r, "cannot read the start message");
	close(START_FD_MESSAGE);
	return start_message_decode(data, length, &keeper->message, err);
}

static void take_fds(struct keeper *keeper)
{
	int fd = START_FD_LISTS;

	keeper->lock = START_FD_LOCK;
	keeper->control = START_FD_CONTROL;
	keeper->run = START_FD_RUN;
	keeper->log = START_FD_LOG;
	keeper->pool = START_FD_POOL;
	keeper->freezer = START_FD_FREEZER;
	keeper->group = START_FD_GROUP;
	keeper->empty = START_FD_EMPTY;
	if (!keeper->message.has_empty)
		cleanup_close(&keeper->empty);
	if (!cgroup_is_directory(keeper->group))
		cleanup_close(&keeper->group);
	keeper->memory = (struct memory_watch){
		.version = (int)keeper->message.memory_version,
		.event = START_FD_MEMORY_EVENT,
		.count = START_FD_MEMORY_COUNT,
		.hits = START_FD_MEMORY_HITS,
		.limit = keeper->message.memory_limit,
	};
	memory_watch_take(&keeper->memory);
	for (uint32_t i = 0; i < keeper->message.n_cgroups; i++)
		keeper->server_groups[i] = fd++;
	for (uint32_t i = 0; i < keeper->message.n_cgroups; i++)
		keeper->host_groups[i] = fd++;
	for (uint32_t i = 0; !keeper->message.succeeds && i < keeper->message.n_ports; i++)
		keeper->listeners[i] = fd++;
	for (uint32_t i = 0; i < keeper->message.n_sources; i++)
		keeper->sources[i] = fd++;
	if (keeper->message.succeeds)
		keeper->predecessor = fd;
}

/* Without it nothing is shown, and no connection counts as use. */
static int make_counts(void)
{
	cleanup_fd int fd = memfd_create("stint-counts", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, sizeof(struct counts)) < 0)
		return -1;
	return steal_fd(&fd);
}

/* What an instance has before anything runs in it: anew, or as it was. */
static int take_instance(struct keeper *keeper, struct error *err)
{
	int r;

	if (!keeper->message.succeeds) {
		keeper->counts = make_counts();
		return 0;
	}
	r = fault_at("keeper: take over", err);
	if (r == 0)
		r = handover_take(keeper, err);
	if (r < 0)
		return r;
	keeper->took_over = true;
	keeper->status.started_ns = clock_boottime_ns();
	keeper_tell_event(keeper, "reset", "");
	keeper_note_reset(keeper);
	r = fault_at("keeper: renew the pool", err);
	if (r == 0)
		r = renew_pool(keeper->pool, &keeper->message.root, err);
	if (r == 0)
		renew_clean(keeper);
	return r;
}

static int prepare(struct keeper *keeper, struct error *err)
{
	int r = take_message(keeper, err);

	if (r < 0)
		return r;
	take_fds(keeper);
	process_cloexec_from(3);
	clients_init(keeper, START_FD_TIE);
	keeper->signals = watch_signals();
	keeper->boot_timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	keeper->wall_timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (keeper->signals < 0 || keeper->boot_timer < 0 || keeper->wall_timer < 0)
		return error_set(err, errno, "cannot make timers");
	r = take_instance(keeper, err);
	if (r < 0)
		return r;
	deadline_map_counts(keeper);
	keeper_write_status(keeper);
	r = fault_at("keeper: start init", err);
	if (r == 0)
		r = keeper_start_init(keeper, err);
	if (r == 0)
		r = fault_at("keeper: start the forwarder", err);
	if (r == 0)
		r = keeper_start_forwarder(keeper, err);
	if (r == 0)
		r = fault_at("keeper: drop privileges", err);
	return r < 0 ? r : keeper_drop_privileges(err);
}

/* The instance was there before and ends now: that is to be undone. */
static void give_up(struct keeper *keeper, const struct error *err)
{
	text_cutf(keeper->status.reason, sizeof(keeper->status.reason), "reset failed: %s",
		  err->text);
	keeper->status.failed = true;
	keeper->phase = PHASE_OVER;
}

int main(void)
{
	struct keeper keeper = {
		.userns = -1,
		.cgroupns = -1,
		.group = -1,
		.empty = -1,
		.turn = -1,
		.hook = -1,
		.netns = -1,
		.guard = -1,
		.guard_place = -1,
		.counts = -1,
		.predecessor = -1,
		.init = {.pidfd = -1, .channel = -1},
		.forwarder = {.pidfd = -1, .channel = -1},
		.status = {.state = STATE_CREATING, .exit_status = -1},
	};
	struct control_packet first = {.verb = CONTROL_OK};
	int r;

	keeper.status.started_ns = clock_boottime_ns();
	r = prepare(&keeper, &first.error);
	if (r < 0)
		first.verb = CONTROL_FAILED;
	(void)control_send(START_FD_TIE, &first, NULL, 0);
	/* init and forwarder, if there are any, see their channels close */
	if (r < 0 && !keeper.took_over) {
		start_message_deinit(&keeper.message);
		return 1;
	}
	if (r < 0)
		give_up(&keeper, &first.error);
	else if (keeper.took_over)
		guard_set(&keeper, keeper.link_made);
	run(&keeper);
	r = finish(&keeper);
	start_message_deinit(&keeper.message);
	return r;
}
