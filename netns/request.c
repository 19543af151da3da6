/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to rtnetlink; see request.h. In commands. */
#include "netns/request.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void request_free_socket(struct nl_sock **socket)
{
	nl_socket_free(*socket);
	*socket = NULL;
}

void request_free_link(struct rtnl_link **link)
{
	rtnl_link_put(*link);
	*link = NULL;
}

void request_free_addr(struct nl_addr **addr)
{
	nl_addr_put(*addr);
	*addr = NULL;
}

int request_error(struct error *err, int nle, const char *format, ...)
{
	static const struct {
		int nle, errnum;
	} codes[] = {
		{NLE_EXIST, EEXIST}, {NLE_NOMEM, ENOMEM},	 {NLE_PERM, EPERM},
		{NLE_NODEV, ENODEV}, {NLE_OBJ_NOTFOUND, ENOENT}, {NLE_OPNOTSUPP, EOPNOTSUPP},
		{NLE_BUSY, EBUSY},   {NLE_INVAL, EINVAL},
	};
	char words[256];
	va_list arguments;
	int errnum = EIO;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].nle == -nle)
			errnum = codes[i].errnum;
	return error_set(err, errnum, "%s", words);
}

/* Returns the way home, for leave(). */
static int enter(int netns, struct error *err)
{
	cleanup_fd int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0 || setns(netns, CLONE_NEWNET) < 0)
		return error_set(err, errno, "cannot go to the instance's network namespace");
	return steal_fd(&home);
}

/* Without a way back whatever came next, an undo too, would happen in the wrong place. */
static void leave(int home)
{
	static const char words[] =
		"stint: cannot come back from an instance's network namespace\n";

	if (setns(home, CLONE_NEWNET) < 0) {
		(void)!write(STDERR_FILENO, words, sizeof(words) - 1);
		abort();
	}
	close(home);
}

/* A socket stays in the namespace where it was opened. */
int request_open(int netns, struct nl_sock **ret_socket, struct error *err)
{
	int home = netns < 0 ? -1 : enter(netns, err);
	int r;

	if (netns >= 0 && home < 0)
		return home;
	*ret_socket = nl_socket_alloc();
	r = *ret_socket ? nl_connect(*ret_socket, NETLINK_ROUTE) : -NLE_NOMEM;
	if (home >= 0)
		leave(home);
	return r < 0 ? request_error(err, r, "cannot open a netlink socket") : 0;
}

int request_socket(int netns, int family, int type, int protocol, struct error *err)
{
	int home = netns < 0 ? -1 : enter(netns, err);
	int fd, errnum;

	if (netns >= 0 && home < 0)
		return home;
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	errnum = errno;
	if (home >= 0)
		leave(home);
	return fd < 0 ? error_set(err, errnum, "cannot open a socket") : fd;
}

int request_open_raw(int netns, int protocol, struct error *err)
{
	return request_socket(netns, AF_NETLINK, SOCK_RAW, protocol, err);
}

static struct nl_addr *address_of(int family, const void *address)
{
	return nl_addr_build(family, address, family == AF_INET ? 4 : 16);
}

static void free_rtnl_addr(struct rtnl_addr **address)
{
	rtnl_addr_put(*address);
}

static void free_rtnl_neigh(struct rtnl_neigh **neighbour)
{
	rtnl_neigh_put(*neighbour);
}

static void free_rtnl_route(struct rtnl_route **route)
{
	rtnl_route_put(*route);
}

int request_address(const struct request_end *end, int family, const void *address)
{
	cleanup(free_rtnl_addr) struct rtnl_addr *request = rtnl_addr_alloc();
	cleanup_nl_addr struct nl_addr *local = address_of(family, address);
	int r;

	if (!request || !local)
		return -NLE_NOMEM;
	rtnl_addr_set_ifindex(request, end->index);
	r = rtnl_addr_set_local(request, local);
	if (family == AF_INET6) /* nobody else can have it: there is nobody else on the link */
		rtnl_addr_set_flags(request, IFA_F_NODAD);
	return r < 0 ? r : rtnl_addr_add(end->socket, request, NLM_F_CREATE | NLM_F_EXCL);
}

int request_neighbour(const struct request_end *end, int family, const void *address)
{
	cleanup(free_rtnl_neigh) struct rtnl_neigh *request = rtnl_neigh_alloc();
	cleanup_nl_addr struct nl_addr *whom = address_of(family, address);
	cleanup_nl_addr struct nl_addr *mac = nl_addr_build(AF_LLC, end->mac, 6);

	if (!request || !whom || !mac)
		return -NLE_NOMEM;
	rtnl_neigh_set_ifindex(request, end->index);
	rtnl_neigh_set_dst(request, whom);
	rtnl_neigh_set_lladdr(request, mac);
	rtnl_neigh_set_state(request, NUD_PERMANENT);
	return rtnl_neigh_add(end->socket, request, NLM_F_CREATE | NLM_F_REPLACE);
}

static int add_hop(struct rtnl_route *route, const struct request_end *end, struct nl_addr *gateway)
{
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();

	if (!hop)
		return -NLE_NOMEM;
	rtnl_route_nh_set_ifindex(hop, end->index);
	if (gateway) {
		rtnl_route_nh_set_gateway(hop, gateway);
		rtnl_route_nh_set_flags(hop, RTNH_F_ONLINK);
	}
	rtnl_route_add_nexthop(route, hop);
	return 0;
}

int request_route(const struct request_end *end, int family, const void *destination,
		  const void *gateway, const void *source)
{
	cleanup(free_rtnl_route) struct rtnl_route *route = rtnl_route_alloc();
	cleanup_nl_addr struct nl_addr *to =
		destination ? address_of(family, destination) : nl_addr_build(family, NULL, 0);
	cleanup_nl_addr struct nl_addr *by = gateway ? address_of(family, gateway) : NULL;
	cleanup_nl_addr struct nl_addr *from = source ? address_of(family, source) : NULL;
	int r;

	if (!route || !to || (gateway && !by) || (source && !from))
		return -NLE_NOMEM;
	rtnl_route_set_family(route, (uint8_t)family);
	rtnl_route_set_scope(route, gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
	r = rtnl_route_set_dst(route, to);
	if (r == 0 && from)
		r = rtnl_route_set_pref_src(route, from);
	if (r == 0)
		r = add_hop(route, end, by);
	return r < 0 ? r : rtnl_route_add(end->socket, route, NLM_F_CREATE | NLM_F_EXCL);
}

int request_remove_multicast(const struct request_end *end)
{
	static const uint8_t group[16] = {0xff};
	cleanup(free_rtnl_route) struct rtnl_route *route = rtnl_route_alloc();
	cleanup_nl_addr struct nl_addr *to = nl_addr_build(AF_INET6, group, sizeof(group));
	int r;

	if (!route || !to)
		return -NLE_NOMEM;
	nl_addr_set_prefixlen(to, 8);
	rtnl_route_set_family(route, AF_INET6);
	rtnl_route_set_table(route, RT_TABLE_LOCAL);
	rtnl_route_set_type(route, RTN_MULTICAST);
	rtnl_route_set_protocol(route, RTPROT_KERNEL);
	r = rtnl_route_set_dst(route, to);
	if (r == 0)
		r = add_hop(route, end, NULL);
	return r < 0 ? r : rtnl_route_delete(end->socket, route, 0);
}

int request_link_index(struct nl_sock *socket, const char *name, int *ret_index)
{
	cleanup_rtnl_link struct rtnl_link *link = NULL;
	int r = rtnl_link_get_kernel(socket, 0, name, &link);

	if (r == 0)
		*ret_index = rtnl_link_get_ifindex(link);
	return r;
}

int request_uplink(struct nl_sock *socket, int family, const void *address, char name[IFNAMSIZ])
{
	cleanup_nl_addr struct nl_addr *to = address_of(family, address);
	cleanup(free_rtnl_route) struct rtnl_route *route = NULL;
	struct rtnl_nexthop *hop;
	int r = to ? rtnl_route_lookup(socket, to, &route) : -NLE_NOMEM;

	if (r < 0)
		return r;
	hop = rtnl_route_nexthop_n(route, 0);
	if (rtnl_route_get_type(route) != RTN_UNICAST || !hop ||
	    !if_indextoname((unsigned)rtnl_route_nh_get_ifindex(hop), name))
		return -NLE_OBJ_NOTFOUND;
	return 0;
}

bool request_is_own(struct nl_sock *socket, int family, const void *address)
{
	cleanup_nl_addr struct nl_addr *to = address_of(family, address);
	cleanup(free_rtnl_route) struct rtnl_route *route = NULL;

	return to && rtnl_route_lookup(socket, to, &route) == 0 &&
	       rtnl_route_get_type(route) == RTN_LOCAL;
}

int request_delete_link(struct nl_sock *socket, const char *name)
{
	cleanup_rtnl_link struct rtnl_link *link = rtnl_link_alloc();

	if (!link)
		return -NLE_NOMEM;
	rtnl_link_set_name(link, name);
	return rtnl_link_delete(socket, link);
}
