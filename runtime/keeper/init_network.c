/* SPDX-License-Identifier: Apache-2.0 */
/* The network of an instance, as its init makes or finds it; see init.h. */
#include "keeper/init.h"
#include "base/cleanup.h"
#include "base/weaken.h"
#include "netns/inside.h"
#include "rootfs/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>

#define CAP(name) (1ULL << CAP_##name)

/*
 * Low ports are promised to those who ask for the capability, and it alone gives them only where
 * the network is of the same user namespace. To all others they are a convenience.
 */
static int set_up_network(const struct start_message *m, int *ret_proc, struct error *err)
{
	bool promised = m->uids.base && (m->caps & CAP(NET_BIND_SERVICE));
	int r = netns_loopback_up(m->address, m->address6, err);
	int own = *ret_proc = root_open_proc();
	/* an old kernel makes none that is shown nowhere: the host's is still there */
	cleanup_fd int host = own < 0 ? open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	int proc = own < 0 ? host : own;

	if (!m->awaits_link)
		netns_set_local(proc);
	if (r == 0 && netns_open_low_ports(proc, err) < 0 && promised)
		r = error_prefix(err, "'caps: [net_bind_service]'");
	return r;
}

/* One that an instance was in before is as it is to be. */
int init_enter_network(struct init *init, struct error *err)
{
	init->proc = -1;
	if (weakened("netns"))
		return 0;
	if (init->netns < 0)
		return set_up_network(init->message, &init->proc, err);
	if (setns(init->netns, CLONE_NEWNET) < 0)
		return error_set(err, errno, "cannot enter the instance's network");
	cleanup_close(&init->netns);
	netns_forget_connections();
	return 0;
}
