/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the network share: a host, an outside and instances, each a network namespace
 * of the test's own. All of it belongs in a child with CLONE_NEWNET (run_in_child), whose own
 * namespace is the host. Everything is reached over this process's sockets: nothing waits unless
 * something is really not answered.
 */
#ifndef UNIT_NET_RIG_H
#define UNIT_NET_RIG_H

#include "netns/firewall.h"
#include "netns/link.h"
#include "world.h"

#define NET_GROUP 0x73123000U /* of zone 0 */
#define NET_FIRST 0x0ad50000U /* 10.213.0.0, of 256 instances */
#define NET_PREFIX6 "fd73:7469:6e74::"
#define NET_PORT 7000

/* Where the outside answers. */
#define NET_PUBLIC4 "198.41.0.4"
#define NET_PUBLIC6 "2001:503:ba3e::2:30"
#define NET_PRIVATE4 "172.16.5.5"
#define NET_PRIVATE6 "fd00:5::5"
#define NET_METADATA4 "169.254.169.254"
/* An instance's without a link, which somebody outside has all the same. */
#define NET_ABSENT4 "10.213.0.99"
#define NET_ABSENT6 "fd73:7469:6e74::63"
/* Where the host does, on its uplink and on another interface. */
#define NET_HOST4 "192.0.2.1"
#define NET_HOST6 "fd00:99::1"
#define NET_OTHER4 "10.99.0.1"
#define NET_OTHER6 "fd00:98::1"

struct place {
	int netns;
	struct netns_link link; /* of instances */
	int tcp, udp;		/* listening on NET_PORT */
	char address4[16], address6[46];
};

enum answer { REACHED, DENIED, SILENT };

/* The host (this namespace, with uplink "up0") and the outside, both answering. */
void net_make_world(struct place *ret_host, struct place *ret_outside);
/* An instance with a link in the zone; its address is NET_FIRST + number. */
void net_make_instance(unsigned number, unsigned zone, struct place *ret_instance);
void net_end(struct place *place);

/* A command of a shell here, and in that place; it must succeed. */
void net_shell(const char *command);
void net_run(const struct place *place, const char *command);
/* What such a command prints; the caller frees. */
char *net_read(const char *command);

/*
 * protocol: IPPROTO_TCP, IPPROTO_UDP (to at's NET_PORT) or IPPROTO_ICMP. source, an
 * address of from's, may be NULL; with one, nothing is waited for long.
 */
enum answer net_reach(const struct place *from, const struct place *at, const char *address,
		      int protocol, const char *source);

/* Enters the place; the result goes to net_come_home. */
int net_go_to(const struct place *place);
void net_come_home(int home);

#endif
