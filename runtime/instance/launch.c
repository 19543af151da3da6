/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a prepared instance to a running keeper; see start.h. The keeper shares nothing with the
 * caller: not its session, groups, descriptors, environment, directory, signals, processors or
 * keyring. In the command that starts an instance and, after the fork, in its child.
 */
#include "instance/start.h"
#include "instance/disk.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/text.h"
#include "base/weaken.h"
#include "cgroup/inside.h"
#include "confine/confine.h"
#include "keeper/message.h"
#include "keeper/rlimits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define FDS_MAX \
	(START_FD_LISTS + 2 * CGROUP_HIERARCHIES_MAX + PLAN_PORTS_MAX + PLAN_SOURCES_MAX + 1)

/* What every program expects to find, where the template does not say otherwise. */
static char **make_env(const struct launch *launch)
{
	const struct account *account = launch->account;
	const struct {
		const char *key, *value;
	} defaults[] = {
		{"PATH", DEFAULT_PATH},	    {"HOME", account->home}, {"USER", account->name},
		{"LOGNAME", account->name}, {"LANG", "C.UTF-8"},
	};
	char **env = strv_copy(launch->plan->run.env);

#ifdef STINT_WEAKEN
	for (char **own = environ; weakened("environment") && *own; own++)
		strv_add(&env, *own);
#endif
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		cleanup_free char *made = xasprintf("%s=%s", defaults[i].key, defaults[i].value);
		size_t n = strlen(defaults[i].key) + 1;
		bool given = false;

		for (size_t j = 0; env[j]; j++)
			given |= strncmp(env[j], made, n) == 0;
		if (!given)
			strv_add(&env, made);
	}
	return env;
}

static bool map_owner(const struct rootfs_put *put, struct start_message *m)
{
	return userns_map_add(&m->uids, put->uid) && userns_map_add(&m->gids, put->gid);
}

/* Owners of install directories and the server's own ids exist inside, however large they are. */
static int map_ids(const struct launch *launch, struct start_message *m, struct error *err)
{
	const struct account *account = launch->account;
	bool fits;

	m->uids.base = m->gids.base = launch->record->id_base;
	fits = userns_map_add(&m->uids, account->uid) && userns_map_add(&m->gids, account->gid);
	for (size_t i = 0; fits && launch->lowers && launch->lowers[i]; i++) {
		struct stat st;

		if (stat(launch->lowers[i], &st) < 0)
			return error_set(err, errno, "cannot see install directory '%s'",
					 launch->lowers[i]);
		fits = userns_map_add(&m->uids, st.st_uid) && userns_map_add(&m->gids, st.st_gid);
	}
	for (size_t i = 0; fits && i < launch->plan->content.n_files; i++)
		fits = map_owner(&launch->content->puts[i], m);
	for (size_t i = 0; fits && i < launch->content->n_secrets; i++)
		fits = map_owner(&launch->content->secrets[i].put, m);
	if (!fits)
		return error_say(err, ERROR_FAILED,
				 "the install directories and files have too many different owners "
				 "above 65535, at most %d fit into a user namespace",
				 USERNS_FOREIGN_MAX);
	/* further groups are a convenience: what has no place is left out */
	m->n_groups = 0;
	for (uint32_t i = 0; i < account->n_groups; i++)
		if (userns_map_add(&m->gids, account->groups[i]))
			m->groups[m->n_groups++] = account->groups[i];
	return 0;
}

/* Without ids of its own an instance's root is the host's, and so are its capabilities. */
static int check_caps(const struct launch *launch, struct error *err)
{
	uint64_t caps = launch->plan->confinement.caps;

	for (const struct plan_capability *c = plan_capabilities; c->name; c++)
		if (!launch->record->id_base && (caps >> c->number & 1) &&
		    c->number != CAP_NET_BIND_SERVICE)
			return error_say(err, ERROR_REFUSED,
					 "'caps: %s' needs a user namespace, which this instance "
					 "does not get: on the host's ids it would reach the host",
					 c->name);
	return 0;
}

static int add_filters(const struct launch *launch, struct start_message *m, struct error *err)
{
	static const enum filter_kind kinds[] = {
		[SECCOMP_DEFAULT] = FILTER_DEFAULT, [SECCOMP_STRICT] = FILTER_STRICT};
	const struct plan_confinement *confinement = &launch->plan->confinement;
	struct filter filter = {0}, forwarder = {0};
	cleanup_fd int directory = file_open_directory(launch->site->state, "seccomp");
	int r = directory < 0 ? error_set(err, -directory, "cannot open '%s/seccomp'",
					  launch->site->state_path)
			      : filter_load(directory, FILTER_FORWARDER, false, &forwarder, err);

	if (r == 0 && confinement->seccomp != SECCOMP_OFF && !weakened("seccomp"))
		r = filter_load(directory, kinds[confinement->seccomp], confinement->abi32, &filter,
				err);
	m->filter = filter.program;
	m->filter_size = filter.size;
	m->forwarder_filter = forwarder.program;
	m->forwarder_filter_size = forwarder.size;
	return r;
}

static void fill_message(const struct launch *launch, struct start_message *m)
{
	const struct plan *plan = launch->plan;
	const struct grant *grant = &launch->record->grant;
	const struct account *account = launch->account;

	m->id = (char *)grant->id;
	m->stint = launch->site->stint;
	m->stint_root = launch->site->root;
	m->lease = grant->lease;
	m->warning = plan->lease.warning;
	m->ready = plan->ready;
	for (size_t i = 0; i < PLAN_HOOKS; i++)
		m->hooks_ns[i] = plan->hooks[i].command ? plan->hooks[i].timeout_ns : 0;
	m->grace_ns = plan->run.grace_ns;
	m->stop_signal = plan->run.stop_signal;
	m->stop_command = plan->run.stop_command;
	m->restart = plan->run.restart;
	m->restart_limit = plan->run.restart_limit;
	m->command = plan->run.command;
	m->directory = plan->run.directory;
	m->uid = account->uid;
	m->gid = account->gid;
	m->caps = weakened("caps") ? capabilities_in_effect() : plan->confinement.caps;
	m->address = launch->record->address;
	m->address6 = (char *)launch->record->address6;
	m->awaits_link = network_has_link(launch->network);
	m->has_empty = launch->empty >= 0;
	m->succeeds = launch->predecessor >= 0;
	m->table = launch->site->firewall;
	m->forwarder_uid = launch->site->forwarder_uid;
	m->pool_is_mount = disk_is_detached(launch->record);
	m->log_limit = plan->limits.log_bytes;
	m->files_limit = plan->limits.files;
	m->hold = grant->hold;
	m->reserved = launch->reserved;
	m->spare = launch->spare;
	m->n_ports = (uint32_t)grant->n_ports;
	for (size_t i = 0; i < grant->n_ports; i++) {
		m->inside_ports[i] = grant->ports[i].inside_port;
		m->port_flags[i] = plan_port_flags(plan, grant->ports[i].inside_port);
	}
	plan_check_flags(plan, m->check_flags);
	m->n_sources = launch->content->n_sources;
	m->n_cgroups = (uint32_t)launch->prepared->groups.n_server;
	m->memory_version = (uint32_t)launch->prepared->watch.version;
	m->memory_limit = plan->limits.memory_bytes;
}

static int make_message(const struct launch *launch, struct error *err)
{
	cleanup_fd int fd = memfd_create("stint-start", MFD_CLOEXEC);
	cleanup_strv char **env = make_env(launch);
	cleanup_text struct text bytes = {0};
	struct start_message message = {.env = env};
	int r;

	if (fd < 0)
		return error_set(err, errno, "cannot make the start message");
	r = launch_compile_root(launch, &message.root, err);
	if (r == 0)
		r = map_ids(launch, &message, err);
	if (r == 0)
		r = check_caps(launch, err);
	if (r == 0)
		r = add_filters(launch, &message, err);
	if (r == 0) {
		fill_message(launch, &message);
		start_message_encode(&message, &bytes);
		r = file_write_all(fd, bytes.data, bytes.length);
		if (r < 0)
			error_set(err, -r, "cannot write the start message");
	}
	root_ops_deinit(&message.root);
	free(message.filter);
	free(message.forwarder_filter);
	if (r < 0)
		return r;
	lseek(fd, 0, SEEK_SET);
	return steal_fd(&fd);
}

/* Puts the descriptors at 3, 4, ... and closes every other one. */
static int arrange_fds(const int *fds, size_t n)
{
	int high[FDS_MAX];

	for (size_t i = 0; i < n; i++) {
		high[i] = fcntl(fds[i], F_DUPFD, START_FD_MESSAGE + FDS_MAX);
		if (high[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < n; i++)
		if (dup2(high[i], START_FD_MESSAGE + (int)i) < 0)
			return -errno;
	if (syscall(SYS_close_range, START_FD_MESSAGE + (unsigned)n, ~0U, 0U) < 0)
		return -errno;
	return 0;
}

/*
 * The kernel, short of memory, takes what runs inside first (keeper/init.c), and the keepers of
 * instances later than most. Only the latter takes a capability, which root may not have.
 */
static void protect_from_killer(void)
{
	static const char file[] = "/proc/self/oom_score_adj";

	if (file_poke(AT_FDCWD, file, "-500") < 0)
		file_poke(AT_FDCWD, file, "0");
}

static int detach(const struct launch *launch)
{
	int r = process_null_streams();

	if (r < 0)
		return r;
	setsid();
	if (chdir("/") < 0)
		return -errno;
	umask(022);
	process_reset_signals();
	process_reset_inherited();
	rlimits_set_for_keeper(launch->plan->limits.files);
	protect_from_killer();
	if (!weakened("keyring"))
		syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
	return 0;
}

static char **keeper_env(const struct site *site)
{
	char **env = xcalloc(1, sizeof(char *));

	(void)site;
#ifdef STINT_WEAKEN
	cleanup_free char *word = xasprintf("STINT_WEAKEN=%s", getenv("STINT_WEAKEN"));

	strv_add(&env, word);
#endif
#ifdef STINT_FAULTS
	cleanup_free char *fault =
		xasprintf("STINT_FAULT=%s", getenv("STINT_FAULT") ? getenv("STINT_FAULT") : "");

	strv_add(&env, fault);
#endif
#ifdef __SANITIZE_ADDRESS__
	static const char *const keys[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		cleanup_free char *made = xasprintf("%s=%s", keys[i], getenv(keys[i]));

		if (getenv(keys[i]))
			strv_add(&env, made);
	}
#endif
	return env;
}

/* In the child; returns only when the keeper could not be executed. */
static int become_keeper(const struct launch *launch, bool inside, const int *fds, size_t n,
			 struct error *err)
{
	const struct cgroup_groups *groups = &launch->prepared->groups;
	char *argv[] = {(char *)"stint-keeper", (char *)launch->record->grant.id, NULL};
	char **env = keeper_env(launch->site);
	int r = inside ? cgroup_join_others(groups->host, groups->n_host, err)
		       : cgroup_join(groups->host, groups->n_host, err);

	if (r < 0)
		return r;
	r = detach(launch);
	if (r == 0)
		r = arrange_fds(fds, n);
	if (r < 0)
		return error_set(err, -r, "cannot prepare the keeper");
	execve(launch->site->keeper, argv, env);
	return error_set(err, errno, "cannot execute '%s'", launch->site->keeper);
}

/* What a successor gets from its predecessor has a stand-in, or no place in the lists. */
static size_t list_fds(const struct launch *launch, int message, int tie, int control, int *fds)
{
	const struct prepared *prepared = launch->prepared;
	bool succeeds = launch->predecessor >= 0;
	size_t n = 0;

	fds[n++] = message;
	fds[n++] = succeeds ? launch->network->lock : launch->lock;
	fds[n++] = tie;
	fds[n++] = succeeds ? prepared->run : control;
	fds[n++] = prepared->run;
	fds[n++] = prepared->log;
	fds[n++] = prepared->pool;
	fds[n++] = prepared->watch.version ? prepared->watch.event : prepared->run;
	fds[n++] = prepared->watch.version ? prepared->watch.count : prepared->run;
	fds[n++] = prepared->watch.version ? prepared->watch.hits : prepared->run;
	fds[n++] = prepared->freezer >= 0 ? prepared->freezer : prepared->run;
	fds[n++] = prepared->groups.n_directories ? prepared->groups.directories[CGROUP_SERVER]
						  : prepared->run;
	fds[n++] = launch->empty >= 0 ? launch->empty : prepared->run;
	for (size_t i = 0; i < prepared->groups.n_server; i++)
		fds[n++] = prepared->groups.server[i];
	for (size_t i = 0; i < prepared->groups.n_server; i++)
		fds[n++] = prepared->groups.leaf_host[i];
	for (size_t i = 0; !succeeds && i < launch->record->grant.n_ports; i++)
		fds[n++] = launch->listeners[i];
	for (size_t i = 0; i < launch->content->n_sources; i++)
		fds[n++] = launch->content->sources[i];
	if (succeeds)
		fds[n++] = launch->predecessor;
	return n;
}

int launch_keeper(const struct launch *launch, int *ret_tie, pid_t *ret_pid, struct error *err)
{
	cleanup_fd int message = make_message(launch, err);
	cleanup_fd int control = -1, mine = -1, theirs = -1;
	struct control_packet failed = {.verb = CONTROL_FAILED};
	const struct cgroup_groups *groups = &launch->prepared->groups;
	int fds[FDS_MAX], pair[2];
	bool inside;
	size_t n;
	pid_t pid;

	if (message < 0)
		return message;
	if (launch->predecessor < 0)
		control = socket_listen_at(launch->prepared->run, CONTROL_SOCKET_NAME, 128);
	if (control < 0 && launch->predecessor < 0)
		return error_set(err, -control, "cannot make the control socket");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set(err, errno, "cannot make a socket pair");
	mine = pair[0];
	theirs = pair[1];
	n = list_fds(launch, message, theirs, control, fds);
	pid = cgroup_fork(groups->n_directories ? groups->directories[CGROUP_HOST] : -1, &inside);
	if (pid < 0)
		return error_set(err, errno, "cannot fork");
	if (pid == 0) {
		become_keeper(launch, inside, fds, n, &failed.error);
		/* after arrange_fds the tie stands elsewhere; both numbers may be tried */
		if (control_send(theirs, &failed, NULL, 0) < 0)
			control_send(START_FD_TIE, &failed, NULL, 0);
		_exit(125);
	}
	*ret_tie = steal_fd(&mine);
	*ret_pid = pid;
	return 0;
}
