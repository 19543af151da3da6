/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How init makes the inside; see init.h. The order of init_set_up() is fixed: the network exists
 * before the root hides the host's /proc, the root is made as the host's root before that is given
 * up for the instance's own, the server's process is born before that too and after the Landlock
 * domain that it shares, and the death signal comes last because a change of credentials clears
 * it. The other namespaces are older than the user namespace and not its own: whoever gets every
 * capability inside has none over them.
 */
#include "keeper/early.h"
#include "keeper/places.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/weaken.h"
#include "cgroup/inside.h"
#include "confine/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What it takes to start, own a terminal for, signal and confine programs of other users. */
#define CAP(name) (1ULL << CAP_##name)
#define INIT_CAPS (CAP(CHOWN) | CAP(KILL) | CAP(SETGID) | CAP(SETUID) | CAP(SETPCAP))

static int enter_groups(const struct init *init, struct error *err)
{
	size_t n = init->message->n_cgroups;
	int r;

	if (init->cgroupns >= 0 && setns(init->cgroupns, CLONE_NEWCGROUP) < 0)
		return error_set(err, errno, "cannot enter the cgroup namespace");
	if (init->cgroupns >= 0)
		return 0;
	r = cgroup_join(init->server_groups, n, err);
	if (r < 0)
		return r;
	/* the namespace's root is where its maker stands at this moment */
	if (!weakened("cgroupns") && unshare(CLONE_NEWCGROUP) < 0)
		return error_set(err, errno, "cannot make a cgroup namespace");
	return cgroup_join(init->host_groups, n, err);
}

/* The host's /dev/null would keep a mount of the host in use. */
static int own_stdio(struct error *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return error_set(err, errno, "cannot open '/dev/null' inside");
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
	return 0;
}

int init_give_up(struct init *init, struct error *err)
{
	int r = init->userns >= 0 ? userns_enter(init->userns, err) : 0;

	if (r == 0)
		r = confine_keep(INIT_CAPS | init->message->caps, err);
	if (r < 0)
		return r;
	cleanup_close(&init->userns);
	umask(022);
	prctl(PR_SET_DUMPABLE, weakened("dumpable"), 0, 0, 0);
	return 0;
}

static int make_root(struct init *init, struct error *err)
{
	const struct start_message *m = init->message;
	/* while we have power over the namespace that they belong to */
	cleanup_fd int queues = root_open_queues();
	const int behind[] = {queues, init->proc};
	struct root_owner owner = {.uids = &m->uids,
				   .gids = &m->gids,
				   .userns = init->userns,
				   .pool = init->pool,
				   .sources = init->sources,
				   .n_sources = m->n_sources,
				   .behind = behind,
				   .n_behind = ARRAY_SIZE(behind),
				   .empty = init->empty};
	int r = root_apply(&m->root, &owner, err);

	cleanup_close(&init->proc);
	cleanup_close(&init->pool);
	cleanup_close(&init->empty);
	for (size_t i = 0; i < m->n_sources; i++)
		close(init->sources[i]);
	if (r == 0)
		r = own_stdio(err);
	if (r == 0)
		r = fault_at("init: confine itself", err);
	return r < 0 ? r : places_confine(&m->root, queues, err);
}

/* What it has made is there for both; each enters the rest for itself. */
static int part(struct init *init, const struct spawn *spawn, struct early *ret_early,
		struct error *err)
{
	int r;

	early_make(init, spawn, ret_early);
	r = fault_at("init: enter its groups", err);
	if (r == 0)
		r = enter_groups(init, err);
	cleanup_close(&init->cgroupns);
	cleanup_close(&init->group);
	if (r == 0)
		r = fault_at("init: enter the user namespace", err);
	return r < 0 ? r : init_give_up(init, err);
}

/*
 * prlimit(2) is for who has the same user and group in every way: with a saved group that nobody
 * else has, what runs as root inside cannot take away from init what it works with.
 */
static int stand_apart(struct error *err)
{
	if (setresgid((gid_t)-1, (gid_t)-1, USERNS_NOBODY) < 0)
		return error_set(err, errno, "cannot give init a group of its own");
	return 0;
}

int init_set_up(struct init *init, const struct spawn *spawn, struct early *ret_early,
		struct error *err)
{
	const struct start_message *m = init->message;
	int r;

	prctl(PR_SET_NAME, "stint-init", 0, 0, 0);
	setsid();
	umask(0);
	/* what the host's domain is called (NIS) is nobody's business; "(none)" is none */
	if (sethostname(m->id, strlen(m->id)) < 0 || setdomainname("(none)", 6) < 0)
		return error_set(err, errno, "cannot set the host name");
	/* while the host's /proc is there, and with the right to let nobody inside lower it */
	file_poke(AT_FDCWD, "/proc/self/oom_score_adj", "500");
	if (weakened("fds"))
		(void)open("/", O_RDONLY | O_DIRECTORY);
	r = fault_at("init: set up the network", err);
	if (r == 0)
		r = init_enter_network(init, err);
	if (r == 0)
		r = make_root(init, err);
	if (r == 0)
		r = part(init, spawn, ret_early, err);
	if (r == 0)
		r = stand_apart(err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < m->n_cgroups; i++)
		close(init->host_groups[i]);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return 0;
}
