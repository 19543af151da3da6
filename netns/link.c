/* SPDX-License-Identifier: Apache-2.0 */
/* Links of instances; see link.h. In commands. */
#include "netns/link.h"
#include "netns/request.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ip.h>
#include <net/if.h>
#include <netlink/route/link/inet.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/link/veth.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FAR_END "eth0"
#define REUSE_BOUND_NS (2 * NSEC_PER_SEC)
#define REUSE_PAUSE_NS (2 * NSEC_PER_MSEC)

/* Every host end has the same: it is only ever spoken to over its own link. */
static const uint8_t host_mac[6] = {0x02, 's', 't', 'i', 'n', 't'};
/* The gateway is a neighbour entry, no address that anybody has. */
static const char gateway4[] = "169.254.0.1", gateway6[] = "fe80::1";

void netns_link_name(const char *id, char name[NETNS_LINK_NAME_SIZE])
{
	snprintf(name, NETNS_LINK_NAME_SIZE, NETNS_LINK_PREFIX "%s", id);
}

bool netns_link_exists(const char *name)
{
	return if_nametoindex(name) != 0;
}

static bool has_ipv6(const struct netns_link *link)
{
	return !IN6_IS_ADDR_UNSPECIFIED(&link->ipv6);
}

const char *netns_ipv6_hindrance(void)
{
	if (access("/proc/sys/net/ipv6", F_OK) < 0)
		return "the host has no IPv6";
	if (access("/proc/sys/net/ipv6/conf/default/force_forwarding", F_OK) < 0)
		return "the kernel forwards IPv6 for all interfaces or none (before 6.17)";
	return NULL;
}

static void inside_mac(const struct netns_link *link, uint8_t mac[6])
{
	mac[0] = 0x02;
	mac[1] = 's';
	memcpy(mac + 2, &link->ipv4, sizeof(link->ipv4));
}

static int set_mac(struct rtnl_link *link, const uint8_t mac[6])
{
	cleanup_nl_addr struct nl_addr *address = nl_addr_build(AF_LLC, mac, 6);

	if (!address)
		return -NLE_NOMEM;
	rtnl_link_set_addr(link, address);
	return 0;
}

/* Both ends at once: the far one is born where it belongs, and was never seen on the host. */
static int add_pair(struct nl_sock *host, const struct netns_link *wanted, int netns)
{
	cleanup_rtnl_link struct rtnl_link *link = rtnl_link_veth_alloc();
	struct rtnl_link *peer = link ? rtnl_link_veth_get_peer(link) : NULL;
	uint8_t mac[6];
	int r;

	if (!peer)
		return -NLE_NOMEM;
	inside_mac(wanted, mac);
	rtnl_link_set_name(link, wanted->name);
	rtnl_link_set_group(link, wanted->group);
	rtnl_link_set_name(peer, FAR_END);
	rtnl_link_set_ns_fd(peer, netns);
	r = set_mac(link, host_mac);
	if (r == 0)
		r = set_mac(peer, mac);
	if (r == 0)
		r = rtnl_link_add(host, link, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(peer);
	return r;
}

static int change_link(struct nl_sock *socket, int index, struct rtnl_link *change)
{
	cleanup_rtnl_link struct rtnl_link *link = rtnl_link_alloc();

	if (!link)
		return -NLE_NOMEM;
	rtnl_link_set_ifindex(link, index);
	return rtnl_link_change(socket, link, change, 0);
}

/*
 * Addresses come from stint alone: none that the kernel makes up. Neighbours are written down:
 * nobody asks for one, which could fill the table that all of the host shares, or joins a group to
 * be asked, which the host would be told of for each address.
 */
static int make_silent(struct nl_sock *socket, int index, bool forwards)
{
	cleanup_rtnl_link struct rtnl_link *change = rtnl_link_alloc();
	int r = change ? 0 : -NLE_NOMEM;

	if (r == 0)
		rtnl_link_set_flags(change, IFF_NOARP);
	if (r == 0 && forwards)
		r = rtnl_link_inet_set_conf(change, IPV4_DEVCONF_FORWARDING, 1);
	if (r == 0 && forwards)
		r = rtnl_link_inet_set_conf(change, IPV4_DEVCONF_SEND_REDIRECTS, 0);
	if (r == 0 && access("/proc/sys/net/ipv6", F_OK) == 0)
		r = rtnl_link_inet6_set_addr_gen_mode(change,
						      rtnl_link_inet6_str2addrgenmode("none"));
	return r < 0 ? r : change_link(socket, index, change);
}

static int set_flags(struct nl_sock *socket, int index, bool up)
{
	cleanup_rtnl_link struct rtnl_link *change = rtnl_link_alloc();

	if (!change)
		return -NLE_NOMEM;
	if (up)
		rtnl_link_set_flags(change, IFF_UP);
	else
		rtnl_link_unset_flags(change, IFF_UP);
	return change_link(socket, index, change);
}

/* What netlink has no word for; only on a host with IPv6. */
static int set_ipv6_sysctls(const struct netns_link *link)
{
	cleanup_free char *ra = xasprintf("/proc/sys/net/ipv6/conf/%s/accept_ra", link->name);
	cleanup_free char *forward =
		xasprintf("/proc/sys/net/ipv6/conf/%s/force_forwarding", link->name);
	int r = file_poke(AT_FDCWD, ra, "0");

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return has_ipv6(link) && !netns_ipv6_hindrance() ? file_poke(AT_FDCWD, forward, "1") : 0;
}

static int set_up_host(struct nl_sock *host, const struct netns_link *link, int index)
{
	uint8_t mac[6];
	struct request_end end = {.socket = host, .index = index, .mac = mac};
	int r = make_silent(host, index, true);

	inside_mac(link, mac);
	if (r == 0)
		r = set_flags(host, index, true);
	if (r == 0)
		r = request_neighbour(&end, AF_INET, &link->ipv4);
	if (r == 0)
		r = request_route(&end, AF_INET, &link->ipv4, NULL, NULL);
	if (r < 0 || !has_ipv6(link))
		return r;
	r = request_neighbour(&end, AF_INET6, &link->ipv6);
	return r < 0 ? r : request_route(&end, AF_INET6, &link->ipv6, NULL, NULL);
}

static int set_up_family(const struct request_end *end, int family, const void *address,
			 const char *gateway_text)
{
	struct in6_addr gateway;
	int r;

	inet_pton(family, gateway_text, &gateway);
	r = request_address(end, family, address);
	if (r == 0)
		r = request_neighbour(end, family, &gateway);
	return r < 0 ? r : request_route(end, family, NULL, &gateway, address);
}

static int set_up_inside(struct nl_sock *inside, const struct netns_link *link)
{
	struct request_end end = {.socket = inside, .mac = host_mac};
	int r = request_link_index(inside, FAR_END, &end.index);

	if (r == 0)
		r = make_silent(inside, end.index, false);
	if (r == 0)
		r = set_flags(inside, end.index, true);
	if (r == 0)
		r = set_up_family(&end, AF_INET, &link->ipv4, gateway4);
	if (r == 0 && has_ipv6(link))
		r = set_up_family(&end, AF_INET6, &link->ipv6, gateway6);
	return r;
}

/*
 * All interfaces have their route to the groups of IPv6 in one list, which the kernel goes through
 * for each packet to a group and each new interface. Nothing is sent to one from here. The kernel
 * adds it once the link carries, which before Linux 6.8 may be later than this: then it stays.
 */
static void leave_multicast(struct nl_sock *host, const char *name, int index)
{
	const struct request_end end = {.socket = host, .index = index};
	int same;

	if (request_link_index(host, name, &same) == 0)
		(void)request_remove_multicast(&end);
}

static int make_once(struct nl_sock *host, struct nl_sock *inside, const struct netns_link *link,
		     int netns)
{
	int r = add_pair(host, link, netns), index = 0;

	if (r < 0)
		return r;
	r = request_link_index(host, link->name, &index);
	if (r == 0)
		r = set_up_host(host, link, index);
	if (r == 0)
		r = set_up_inside(inside, link);
	if (r == 0)
		leave_multicast(host, link->name, index);
	if (r < 0)
		request_delete_link(host, link->name);
	return r;
}

/* The kernel takes a little longer to forget a link than the instance that had its address. */
static int make_until_free(struct nl_sock *host, struct nl_sock *inside,
			   const struct netns_link *link, int netns)
{
	const struct timespec pause = {.tv_nsec = REUSE_PAUSE_NS};
	int64_t until = clock_boottime_ns() + REUSE_BOUND_NS;
	int r;

	while ((r = make_once(host, inside, link, netns)) == -NLE_EXIST &&
	       clock_boottime_ns() < until)
		nanosleep(&pause, NULL);
	return r;
}

int netns_link_make(const struct netns_link *link, int netns, struct error *err)
{
	cleanup_nl_socket struct nl_sock *host = NULL, *inside = NULL;
	int r = request_open(-1, &host, err);

	if (r == 0)
		r = request_open(netns, &inside, err);
	if (r < 0)
		return r;
	if (netns_link_exists(link->name))
		request_delete_link(host, link->name);
	r = make_until_free(host, inside, link, netns);
	if (r == -NLE_EXIST && netns_name_holder(link, err) < 0)
		return -EEXIST;
	if (r < 0)
		return request_error(err, r, "cannot make the instance's link '%s'", link->name);
	r = set_ipv6_sysctls(link);
	if (r < 0) {
		request_delete_link(host, link->name);
		return error_set(err, -r, "cannot set up IPv6 on '%s'", link->name);
	}
	return 0;
}

int netns_link_remove(const char *name, struct error *err)
{
	cleanup_nl_socket struct nl_sock *host = NULL;
	int r = request_open(-1, &host, err);

	if (r < 0 || !netns_link_exists(name))
		return r;
	r = request_delete_link(host, name);
	if (r < 0 && netns_link_exists(name))
		return request_error(err, r, "cannot remove the link '%s'", name);
	return 0;
}

int netns_link_set_up(const char *name, bool up, struct error *err)
{
	cleanup_nl_socket struct nl_sock *host = NULL;
	int index = (int)if_nametoindex(name);
	int r = index ? request_open(-1, &host, err) : -ENODEV;

	if (r < 0)
		return r;
	r = set_flags(host, index, up);
	return r < 0 ? request_error(err, r, "cannot take '%s' %s", name, up ? "up" : "down") : 0;
}

#define ZONE_BITS 0xfff

void netns_link_each(uint32_t group, void (*each)(const char *name, void *data), void *data)
{
	cleanup_nl_socket struct nl_sock *host = NULL;
	struct nl_cache *cache = NULL;

	if (request_open(-1, &host, NULL) < 0 || rtnl_link_alloc_cache(host, AF_UNSPEC, &cache) < 0)
		return;
	for (struct nl_object *at = nl_cache_get_first(cache); at; at = nl_cache_get_next(at)) {
		struct rtnl_link *link = (struct rtnl_link *)at;

		if ((rtnl_link_get_group(link) & ~(uint32_t)ZONE_BITS) == group)
			each(rtnl_link_get_name(link), data);
	}
	nl_cache_free(cache);
}
