/* SPDX-License-Identifier: Apache-2.0 */
/* Ending the connections of an instance that loses its link; see link.h. In commands. */
#include "netns/inside.h"
#include "netns/link.h"
#include "netns/request.h"
#include "base/cleanup.h"

#include <errno.h>
#include <linux/netlink.h>

int netns_cut_connections(int netns, struct error *err)
{
	cleanup_fd int list = request_open_raw(netns, NETLINK_SOCK_DIAG, err);
	cleanup_fd int killer = list < 0 ? -1 : request_open_raw(netns, NETLINK_SOCK_DIAG, err);
	int r;

	if (killer < 0)
		return -EIO;
	r = netns_destroy_connections(list, killer, false);
	/* a kernel that lists no sockets has none of this */
	return r < 0 && r != -ENOENT ? error_set(err, -r, "cannot cut the instance's connections")
				     : 0;
}
