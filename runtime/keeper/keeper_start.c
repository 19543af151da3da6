/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's two children: init in new namespaces, the forwarder in init's network. */
#include "keeper/keeper.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "base/text.h"
#include "base/weaken.h"
#include "cgroup/inside.h"
#include "confine/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define LAST_WORDS_MS 100

#define INSTANCE_NAMESPACES \
	(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC)

/* A network with a link outlives what ran in it: address, link and rules stay as they are. */
static uint64_t instance_namespaces(const struct keeper *keeper)
{
	uint64_t flags = INSTANCE_NAMESPACES;

	flags &= ~(keeper->netns >= 0 ? (uint64_t)CLONE_NEWNET : 0);
	flags &= ~(weakened("pidns") ? (uint64_t)CLONE_NEWPID : 0);
	flags &= ~(weakened("netns") ? (uint64_t)CLONE_NEWNET : 0);
	flags &= ~(weakened("ipcns") ? (uint64_t)CLONE_NEWIPC : 0);
	return flags;
}

/* Requests that wait for a child which does not get its turn, whatever their length. */
#define CHANNEL_SIZE (8 * CONTROL_PACKET_MAX)

/* The keeper never waits for a child; its own end alone is like that. */
static int make_channel(struct child_process *child, int *ret_theirs, struct error *err)
{
	const int size = CHANNEL_SIZE;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set(err, errno, "cannot make a socket pair");
	/* without the right to that it is as large as it may be */
	if (setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	(void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
	child->channel = pair[0];
	*ret_theirs = pair[1];
	return 0;
}

static pid_t clone_process(uint64_t flags, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void keeper_close_others(int *keep, size_t n)
{
	unsigned from = 3;

	qsort(keep, n, sizeof(*keep), compare);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)from)
			continue;
		if (keep[i] > (int)from)
			syscall(SYS_close_range, from, (unsigned)keep[i] - 1, 0U);
		from = (unsigned)keep[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0U);
}

static void run_init(struct keeper *keeper, int channel)
{
	struct init init = {
		.message = &keeper->message,
		.channel = channel,
		.userns = keeper->userns,
		.cgroupns = keeper->cgroupns,
		.group = keeper->group,
		.empty = keeper->empty,
		.pool = keeper->message.pool_is_mount ? keeper->pool : -1,
		.netns = keeper->netns,
		.out = keeper->out[1],
		.errs = keeper->errs[1],
	};
	int keep[9 + 2 * START_CGROUPS_MAX + PLAN_SOURCES_MAX] = {
		channel,    init.out,	   init.errs,  init.userns, init.pool,
		init.netns, init.cgroupns, init.group, init.empty};
	size_t n = 9;

	for (size_t i = 0; i < keeper->message.n_cgroups; i++) {
		keep[n++] = init.server_groups[i] = keeper->server_groups[i];
		keep[n++] = init.host_groups[i] = keeper->host_groups[i];
	}
	for (size_t i = 0; i < keeper->message.n_sources; i++)
		keep[n++] = init.sources[i] = keeper->sources[i];
	keeper_close_others(keep, n);
	init_run(&init);
}

/* A pipe that the server's user may open again by its name, as /dev/stdout is. */
static int make_output(const struct keeper *keeper, int pair[2], struct error *err)
{
	const struct start_message *m = &keeper->message;

	if (pipe2(pair, O_CLOEXEC) < 0 ||
	    fchown(pair[1], userns_host_id(&m->uids, m->uid), userns_host_id(&m->gids, m->gid)) < 0)
		return error_set(err, errno, "cannot make a pipe for the server's output");
	return 0;
}

/* An init that has failed already has no namespace any more, but it has said why. */
static int explain_init(const struct keeper *keeper, int errnum, struct error *err)
{
	struct pollfd polled = {.fd = keeper->init.channel, .events = POLLIN};

	while (poll(&polled, 1, LAST_WORDS_MS) > 0) {
		cleanup_packet struct control_packet packet = {0};
		int r = control_receive_words(keeper->init.channel, &packet);

		if (r > 0 && packet.verb == INIT_FAILED) {
			*err = packet.error;
			return err->code;
		}
		if (r <= 0)
			break;
	}
	return error_set(err, errnum, "cannot open the instance's network namespace");
}

static int open_network(struct keeper *keeper, struct error *err)
{
	char path[64];

	if (keeper->netns >= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", keeper->init.pid);
	keeper->netns = open(path, O_RDONLY | O_CLOEXEC);
	return keeper->netns < 0 ? explain_init(keeper, errno, err) : 0;
}

struct maker {
	pid_t pid; /* 0: none */
	int channel;
};

/* The namespace's root is where its maker stands: in the server's groups. */
static int make_cgroupns(const struct keeper *keeper, struct error *err)
{
	int r = cgroup_join_others(keeper->server_groups, keeper->message.n_cgroups, err);

	return r < 0 ? r : unshare(CLONE_NEWCGROUP) < 0 ? -errno : 0;
}

/*
 * Init need not move into the server's groups and back when another process makes its namespace
 * of groups, one that is born there and lives until a descriptor keeps what it has made. Whatever
 * goes wrong with it goes wrong in init again, which can say so.
 */
static void begin_cgroupns(const struct keeper *keeper, struct maker *ret_maker)
{
	int pair[2], r;
	bool inside;
	pid_t pid;

	*ret_maker = (struct maker){.channel = -1};
	if (keeper->group < 0 || weakened("cgroupns") ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	pid = cgroup_fork(keeper->group, &inside);
	if (pid == 0) {
		char word;

		close(pair[0]);
		r = inside ? make_cgroupns(keeper, NULL) : -ENOSYS;
		if (write(pair[1], &r, sizeof(r)) == (ssize_t)sizeof(r))
			(void)!read(pair[1], &word, 1);
		_exit(0);
	}
	close(pair[1]);
	if (pid < 0)
		close(pair[0]);
	else
		*ret_maker = (struct maker){.pid = pid, .channel = pair[0]};
}

static void end_cgroupns(struct keeper *keeper, struct maker *maker)
{
	char path[64];
	int r;

	if (!maker->pid)
		return;
	if (read(maker->channel, &r, sizeof(r)) == (ssize_t)sizeof(r) && r == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/cgroup", maker->pid);
		keeper->cgroupns = open(path, O_RDONLY | O_CLOEXEC);
	}
	cleanup_close(&maker->channel);
	waitpid(maker->pid, NULL, 0);
}

int keeper_start_init(struct keeper *keeper, struct error *err)
{
	struct maker maker;
	int theirs = -1, r;

	r = make_output(keeper, keeper->out, err);
	if (r == 0)
		r = make_output(keeper, keeper->errs, err);
	if (r == 0)
		r = make_channel(&keeper->init, &theirs, err);
	if (r < 0)
		return r;
	/* both at once */
	begin_cgroupns(keeper, &maker);
	if (keeper->message.uids.base)
		r = userns_make(&keeper->message.uids, &keeper->message.gids, &keeper->userns, err);
	end_cgroupns(keeper, &maker);
	if (r < 0)
		return r;
	keeper->init.pid = clone_process(instance_namespaces(keeper), &keeper->init.pidfd);
	if (keeper->init.pid == 0)
		run_init(keeper, theirs);
	close(theirs);
	cleanup_close(&keeper->userns);
	cleanup_close(&keeper->cgroupns);
	cleanup_close(&keeper->group);
	if (keeper->init.pid < 0)
		return error_set(err, errno, "cannot make namespaces");
	r = open_network(keeper, err);
	if (r < 0)
		return r;
	/* from here on only init can write, so that the end of the output can be seen */
	close(keeper->out[1]);
	close(keeper->errs[1]);
	for (size_t i = 0; i < keeper->message.n_cgroups; i++) {
		close(keeper->server_groups[i]);
		close(keeper->host_groups[i]);
	}
	for (size_t i = 0; i < keeper->message.n_sources; i++)
		close(keeper->sources[i]);
	return 0;
}

/* Before the descriptor is closed; without it the forwarder counts for itself. */
static struct counts *map_counts(const struct keeper *keeper)
{
	void *counts = MAP_FAILED;

	if (keeper->counts >= 0)
		counts = mmap(NULL, sizeof(struct counts), PROT_READ | PROT_WRITE, MAP_SHARED,
			      keeper->counts, 0);
	return counts == MAP_FAILED ? NULL : counts;
}

/*
 * On busy processors the forwarder does not take one from a server or a client that has just given
 * it something: it gets its turn a little later, and has more to do then for one change of tasks.
 * On an idle one it still runs at once.
 */
static void serve_in_batches(void)
{
	static const struct sched_param lowest = {0};

	(void)sched_setscheduler(0, SCHED_BATCH, &lowest);
}

/*
 * Isolation of the forwarder. Should: serve the listeners, connect inside, append to the log.
 * Must not: see the store, any path, any other descriptor; hold a capability or regain one.
 */
static int run_forwarder(const struct keeper *keeper, int channel)
{
	const struct start_message *m = &keeper->message;
	struct forwarder forwarder = {
		.channel = channel,
		.out = keeper->out[0],
		.errs = keeper->errs[0],
		.log = keeper->log,
		.log_limit = m->log_limit,
		.address = m->address,
		.n_ports = m->n_ports,
		.ready = m->ready,
		.hold = m->hold,
		.reserved = m->reserved,
		.counts = map_counts(keeper),
	};
	int keep[5 + PLAN_PORTS_MAX] = {channel, forwarder.out, forwarder.errs, forwarder.log,
					keeper->netns};
	size_t n = 5;

	struct confinement confinement = {
		.uid = m->forwarder_uid,
		.gid = m->forwarder_uid,
#ifndef __SANITIZE_ADDRESS__ /* the sanitizers look around in /proc and trace themselves */
		.filter = m->forwarder_filter,
		.filter_size = m->forwarder_filter_size,
#endif
	};

	memcpy(forwarder.check_flags, m->check_flags, sizeof(forwarder.check_flags));
	keeper_raise(NEED_FORWARDER);
	prctl(PR_SET_NAME, "stint-forwarder", 0, 0, 0);
	serve_in_batches();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (size_t i = 0; i < m->n_ports; i++) {
		keep[n++] = forwarder.ports[i].listener = keeper->listeners[i];
		forwarder.ports[i].inside_port = m->inside_ports[i];
		forwarder.ports[i].flags = m->port_flags[i];
	}
	keeper_close_others(keep, n);
	if (setns(keeper->netns, CLONE_NEWNET) < 0)
		return 1;
	close(keeper->netns);
	if (confine_apply(&confinement, NULL) < 0)
		return 1;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	return forwarder_run(&forwarder);
}

int keeper_start_forwarder(struct keeper *keeper, struct error *err)
{
	int theirs = -1;
	int r = make_channel(&keeper->forwarder, &theirs, err);

	if (r < 0)
		return r;
	keeper->forwarder.pid = clone_process(0, &keeper->forwarder.pidfd);
	if (keeper->forwarder.pid == 0)
		_exit(run_forwarder(keeper, theirs));
	close(theirs);
	if (keeper->forwarder.pid < 0)
		return error_set(err, errno, "cannot start the forwarder");
	return 0;
}
