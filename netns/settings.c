/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of an instance's own network; see inside.h. In init. */
#include "netns/inside.h"
#include "base/file.h"

int netns_open_low_ports(int proc, struct error *err)
{
	/* of the network namespace of whoever opens it */
	static const char file[] = "sys/net/ipv4/ip_unprivileged_port_start";
	int r = file_poke(proc, file, "0");

	return r < 0 ? error_set(err, -r, "cannot write '/proc/%s'", file) : 0;
}

void netns_set_local(int proc)
{
	/* every kernel has it; what it had before is as good, only slower */
	(void)file_poke(proc, "sys/net/ipv4/tcp_congestion_control", "reno");
}
