/* SPDX-License-Identifier: Apache-2.0 */
/* PID 1 of an instance; see init.h. What it makes first is in init_setup.c. */
#include "keeper/init.h"
#include "keeper/control.h"
#include "keeper/early.h"
#include "keeper/spawn.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/process.h"
#include "base/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define EXECS_MAX 64
#define CHILDREN_MAX (1 + EXECS_MAX)
#define SERVER (&world->children[0])
#define EXEC_BOUND_S 5
/* Of the server's first start nothing inside can be in the way: only a host with much to do. */
#define SERVER_BOUND_S 30

struct child {
	struct spawned spawned; /* pid 0: a free place; report -1: it executes */
	int64_t key;		/* the keeper's; 0: the server */
	int64_t until_ns;	/* boot time by which it is to execute */
	int master;		/* of its terminal, until that is told; -1: none */
	char *name;		/* until it executes */
};

struct world {
	struct init *init;
	struct spawn spawn; /* the server */
	struct early early;
	struct child children[CHILDREN_MAX]; /* the server has the first place */
};

static void tell(const struct world *world, struct control_packet *packet, const int *fds,
		 size_t n_fds)
{
	/* a keeper that does not listen any more is gone, and its socket will say so */
	(void)control_send(world->init->channel, packet, fds, n_fds);
}

static void tell_failure(const struct world *world, int64_t key, const struct error *err)
{
	struct control_packet packet = {.verb = INIT_FAILED, .number = key, .error = *err};

	tell(world, &packet, NULL, 0);
}

static struct spawn spawn_base(const struct init *init)
{
	const struct start_message *m = init->message;

	return (struct spawn){
		.argv = m->command,
		.env = m->env,
		.directory = m->directory,
		.confinement =
			{
				.uid = m->uid,
				.gid = m->gid,
				.groups = m->groups,
				.n_groups = m->n_groups,
				.caps = m->caps,
				.filter = m->filter,
				.filter_size = m->filter_size,
			},
		.stdio = {-1, init->out, init->errs},
		.cgroups = init->server_groups,
		.n_cgroups = m->n_cgroups,
		.files_limit = m->files_limit,
	};
}

static int bound_of(const struct child *child)
{
	return child->key ? EXEC_BOUND_S : SERVER_BOUND_S;
}

static bool is_on_its_way(const struct child *child)
{
	return child->spawned.pid && child->spawned.report >= 0;
}

static void begin_child(struct child *child, const struct spawned *spawned, int64_t key,
			const char *name, int master)
{
	*child = (struct child){.spawned = *spawned, .key = key, .master = master};
	child->name = xstrdup(name);
	child->until_ns = clock_boottime_ns() + bound_of(child) * NSEC_PER_SEC;
}

static void free_place(struct child *child)
{
	cleanup_close(&child->master);
	free(child->name);
	*child = (struct child){0};
}

/* Tells the keeper what has become of one on its way; patient: it may still be that. */
static void settle(struct world *world, struct child *child, bool patient)
{
	struct control_packet started = {.number = child->key};
	struct error err = {0};
	int r = spawn_learn(&child->spawned, child->name, &err);

	if (r > 0 && patient)
		return;
	if (r > 0)
		r = spawn_give_up(&child->spawned, child->name, bound_of(child), &err);
	if (r < 0) {
		tell_failure(world, child->key, &err);
		free_place(child);
		return;
	}
	started.verb = child->key ? INIT_EXEC_STARTED : INIT_SERVER_STARTED;
	tell(world, &started, &child->master, child->master >= 0 ? 1 : 0);
	cleanup_close(&child->master);
	free(steal_ptr(child->name));
}

static void start_server(struct world *world)
{
	struct spawn spawn = spawn_base(world->init);
	struct spawned spawned;
	struct error err = {0};
	int r = fault_at("init: start the server", &err);

	if (r == 0 && world->early.pid)
		spawned = early_start(&world->early);
	else if (r == 0)
		r = spawn_begin(&spawn, &spawned, &err);
	if (r < 0)
		tell_failure(world, 0, &err);
	else
		begin_child(SERVER, &spawned, 0, spawn.argv[0], -1);
}

/* A terminal of the instance's own: the host's never comes near what runs inside. */
static int open_terminal(const struct control_packet *request, uid_t uid, int *ret_master,
			 int *ret_slave, struct error *err)
{
	struct winsize size = {.ws_row = request->rows, .ws_col = request->columns};
	cleanup_fd int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int unlock = 0, slave;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return error_set(err, errno, "cannot open a terminal inside");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return error_set(err, errno, "cannot open a terminal inside");
	ioctl(master, TIOCSWINSZ, &size);
	(void)!fchown(slave, uid, (gid_t)-1);
	*ret_master = steal_fd(&master);
	*ret_slave = slave;
	return 0;
}

/* Of an exec; 0: a free place. */
static struct child *child_of_key(struct world *world, int64_t key)
{
	for (size_t i = 1; i < CHILDREN_MAX; i++)
		if (world->children[i].key == key)
			return &world->children[i];
	return NULL;
}

static bool has_key_of(char *const *env, const char *assignment)
{
	size_t n = strcspn(assignment, "=") + 1;

	for (size_t i = 0; env && env[i]; i++)
		if (strncmp(env[i], assignment, n) == 0)
			return true;
	return false;
}

/* What the command brings stands before what the server has: getenv(3) takes the first. */
static char **merge_env(char *const *first, char *const *second)
{
	char **merged = strv_copy(first);

	for (size_t i = 0; second && second[i]; i++)
		if (!has_key_of(first, second[i]))
			strv_add(&merged, second[i]);
	return merged;
}

/* Another user than the server's has none of what the template grants to that one. */
static void become_other(struct confinement *confinement, const struct control_packet *request)
{
	confinement->uid = request->uid;
	confinement->gid = request->gid;
	confinement->n_groups = 0;
	confinement->caps = 0;
}

/* The last descriptor is where denied calls are reported. */
static int set_explainer(struct confinement *confinement, const int *fds, size_t n_fds,
			 struct error *err)
{
	if (!confinement->filter)
		return error_say(err, ERROR_FAILED,
				 "the instance has no filter of system calls: nothing is denied");
	if (n_fds == 0)
		return error_set(err, EPROTO, "nobody listens to what is denied");
	confinement->explained = true;
	confinement->explainer = fds[n_fds - 1];
	return 0;
}

static int start_exec(struct world *world, const struct control_packet *request, const int *fds,
		      size_t n_fds, struct error *err)
{
	struct child *child = child_of_key(world, 0);
	struct spawned spawned;
	struct spawn spawn = spawn_base(world->init);
	cleanup_strv char **env = merge_env(request->env, world->init->message->env);
	cleanup_fd int master = -1, slave = -1;
	int r = 0;

	if (!child)
		return error_set(err, EAGAIN, "%d commands run inside already", EXECS_MAX);
	spawn.argv = request->argv;
	spawn.env = env;
	if (request->as_user)
		become_other(&spawn.confinement, request);
	if (request->explained)
		r = set_explainer(&spawn.confinement, fds, n_fds, err);
	spawn.file = request->text;
	spawn.terminal = request->terminal;
	if (r == 0 && request->terminal)
		r = open_terminal(request, spawn.confinement.uid, &master, &slave, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < 3; i++)
		spawn.stdio[i] = request->terminal ? slave : i < n_fds ? fds[i] : -1;
	r = spawn_begin(&spawn, &spawned, err);
	if (r == 0)
		begin_child(child, &spawned, request->number,
			    spawn.file ? spawn.file : spawn.argv[0], steal_fd(&master));
	return r;
}

static void exec_command(struct world *world, const struct control_packet *request, const int *fds,
			 size_t n_fds)
{
	struct error err = {0};

	if (start_exec(world, request, fds, n_fds, &err) < 0)
		tell_failure(world, request->number, &err);
}

static void signal_exec(struct world *world, int64_t key, int signal)
{
	struct child *child = key ? child_of_key(world, key) : NULL;

	/* the command leads a session of its own: its group is what a terminal would signal */
	if (child && kill(-child->spawned.pid, signal) < 0)
		kill(child->spawned.pid, signal);
}

static void obey(struct world *world, const struct control_packet *packet, const int *fds,
		 size_t n_fds)
{
	switch (packet->verb) {
	case INIT_START_SERVER:
		start_server(world);
		break;
	case INIT_SIGNAL_SERVER:
		if (SERVER->spawned.pid)
			kill(SERVER->spawned.pid, (int)packet->number);
		break;
	case INIT_EXEC:
		exec_command(world, packet, fds, n_fds);
		break;
	case INIT_EXEC_SIGNAL:
		signal_exec(world, packet->number, (int)packet->number2);
		break;
	default:
		break;
	}
}

/* Root inside may have lowered how many files init opens; the instance lives on without this. */
static void refuse(const struct world *world, const struct control_packet *packet)
{
	struct error err = {0};

	if (packet->verb != INIT_EXEC)
		return;
	error_say(&err, ERROR_FAILED,
		  "init cannot open as many files as a command needs: something inside lowered "
		  "its RLIMIT_NOFILE");
	tell_failure(world, packet->number, &err);
}

/* Takes one packet; when the keeper is gone, so is the instance. */
static void listen_to_keeper(struct world *world)
{
	struct control_packet packet = {0};
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	int r = control_receive(world->init->channel, &packet, fds, &n_fds);

	if (r == -EMSGSIZE) {
		refuse(world, &packet);
		return;
	}
	if (r <= 0)
		_exit(0);
	obey(world, &packet, fds, n_fds);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	control_packet_deinit(&packet);
}

static void tell_exit(struct world *world, struct child *child, int status)
{
	struct control_packet packet = {.verb = INIT_SERVER_EXITED, .number = status};

	/* what it said before, or that it executed */
	if (is_on_its_way(child))
		settle(world, child, false);
	if (!child->spawned.pid)
		return;
	if (child->key) {
		packet.verb = INIT_EXEC_EXITED;
		packet.number = child->key;
		packet.number2 = status;
	}
	free_place(child);
	tell(world, &packet, NULL, 0);
}

static void on_exit_of(struct world *world, pid_t pid, int status)
{
	if (early_lost(&world->early, pid))
		return;
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (world->children[i].spawned.pid == pid) {
			tell_exit(world, &world->children[i], status);
			return;
		}
}

static void reap(struct world *world)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		on_exit_of(world, pid, status);
}

static void settle_all(struct world *world)
{
	int64_t now = clock_boottime_ns();

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &world->children[i];

		if (is_on_its_way(child))
			settle(world, child, now < child->until_ns);
	}
}

/* Adds who is on the way; how long until the first is late: milliseconds, -1 for ever. */
static int add_reports(const struct world *world, struct pollfd *polled, nfds_t *n)
{
	int64_t first = INT64_MAX, left;

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		const struct child *child = &world->children[i];

		if (!is_on_its_way(child))
			continue;
		polled[(*n)++] = (struct pollfd){.fd = child->spawned.report, .events = POLLIN};
		first = child->until_ns < first ? child->until_ns : first;
	}
	left = first - clock_boottime_ns();
	return first == INT64_MAX ? -1 : left > 0 ? (int)(left / NSEC_PER_MSEC) + 1 : 0;
}

static int watch_children(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&all);
	sigaddset(&all, SIGCHLD);
	return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

void init_run(struct init *init)
{
	struct world world = {.init = init, .spawn = spawn_base(init)};
	struct control_packet done = {.verb = INIT_SET_UP};
	struct error err = {0};
	int signals = watch_children();

	/* an early process stands in its groups from birth */
	world.spawn.n_cgroups = 0;
	fault_list_to(init->out);
	if (signals < 0 || init_set_up(init, &world.spawn, &world.early, &err) < 0) {
		tell_failure(&world, 0, &err);
		_exit(1);
	}
	tell(&world, &done, NULL, 0);
	for (;;) {
		struct pollfd polled[2 + CHILDREN_MAX] = {
			{.fd = init->channel, .events = POLLIN},
			{.fd = signals, .events = POLLIN},
		};
		struct signalfd_siginfo info;
		nfds_t n = 2;
		int wait_ms = add_reports(&world, polled, &n);

		poll(polled, n, wait_ms);
		while (read(signals, &info, sizeof(info)) > 0)
			;
		reap(&world);
		settle_all(&world);
		if (polled[0].revents)
			listen_to_keeper(&world);
	}
}
