/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a link would take an address from somebody; see link.h. In commands. */
#include "netns/link.h"
#include "netns/request.h"
#include "base/cleanup.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

struct route_request {
	struct nlmsghdr header;
	struct rtmsg route;
	struct rtattr attribute;
	uint8_t address[16];
};

struct route {
	unsigned char type, prefix; /* of the route itself, not of what was asked for */
	uint8_t destination[16];
	char interface[IFNAMSIZ];
};

static int ask(int fd, int family, const void *address)
{
	size_t size = family == AF_INET ? 4 : 16;
	struct route_request request = {
		.header = {.nlmsg_len = (uint32_t)(offsetof(struct route_request, address) + size),
			   .nlmsg_type = RTM_GETROUTE,
			   .nlmsg_flags = NLM_F_REQUEST},
		.route = {.rtm_family = (uint8_t)family,
			  .rtm_dst_len = (uint8_t)(8 * size),
			  .rtm_flags = RTM_F_FIB_MATCH},
		.attribute = {.rta_len = (unsigned short)RTA_LENGTH(size), .rta_type = RTA_DST},
	};

	memcpy(request.address, address, size);
	return send(fd, &request, request.header.nlmsg_len, 0) < 0 ? -errno : 0;
}

static void take_attributes(const struct nlmsghdr *header, struct route *route)
{
	const struct rtmsg *message = NLMSG_DATA(header);
	unsigned left = (unsigned)RTM_PAYLOAD(header);

	for (const struct rtattr *a = RTM_RTA(message); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_DST && RTA_PAYLOAD(a) <= sizeof(route->destination))
			memcpy(route->destination, RTA_DATA(a), RTA_PAYLOAD(a));
		if (a->rta_type == RTA_OIF)
			if_indextoname(*(const unsigned *)RTA_DATA(a), route->interface);
	}
}

/* 1 and the route, 0 when there is none. */
static int take_route(int fd, struct route *ret_route)
{
	char answer[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
	const struct rtmsg *message = NLMSG_DATA(header);
	ssize_t n = recv(fd, answer, sizeof(answer), 0);

	*ret_route = (struct route){.interface = "an interface"};
	if (n < 0)
		return -errno;
	if (!NLMSG_OK(header, (unsigned)n) || header->nlmsg_type != RTM_NEWROUTE)
		return 0; /* an error: no route leads there */
	ret_route->type = message->rtm_type;
	ret_route->prefix = message->rtm_dst_len;
	take_attributes(header, ret_route);
	return 1;
}

static bool is_of_link(const struct route *route)
{
	return strncmp(route->interface, NETNS_LINK_PREFIX, strlen(NETNS_LINK_PREFIX)) == 0 &&
	       strlen(route->interface) == strlen(NETNS_LINK_PREFIX) + 8;
}

/* What leads nowhere on purpose, everywhere, or to an instance, is nobody's. */
static bool is_somebodys(const struct route *route)
{
	if (route->type == RTN_LOCAL || route->type == RTN_BROADCAST)
		return true;
	return route->type == RTN_UNICAST && route->prefix > 0 && !is_of_link(route);
}

static const char *key_of(int family)
{
	return family == AF_INET ? "addresses" : "addresses6";
}

static int refuse(int family, const void *address, const struct route *route, struct error *err)
{
	char text[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	inet_ntop(family, address, text, sizeof(text));
	inet_ntop(family, route->destination, to, sizeof(to));
	if (route->type == RTN_LOCAL)
		return error_say(err, ERROR_REFUSED,
				 "%s is an address of this host: choose another network for '%s' "
				 "in '/etc/stint/stint.yaml'",
				 text, key_of(family));
	return error_say(err, ERROR_REFUSED,
			 "this host routes %s/%u by '%s', and a link for %s would take that away: "
			 "choose another network for '%s' in '/etc/stint/stint.yaml'",
			 to, route->prefix, route->interface, text, key_of(family));
}

/* 1 and the host's route to the address, 0 when there is none. */
static int find_route(int family, const void *address, struct route *ret_route, struct error *err)
{
	cleanup_fd int fd = request_open_raw(-1, NETLINK_ROUTE, err);
	int r;

	*ret_route = (struct route){0};
	if (fd < 0)
		return fd;
	r = ask(fd, family, address);
	if (r == 0)
		r = take_route(fd, ret_route);
	return r < 0 ? error_set(err, -r, "cannot ask for the host's routes") : r;
}

int netns_check_route(int family, const void *address, struct error *err)
{
	struct route route;
	int r = find_route(family, address, &route, err);

	if (r <= 0)
		return r;
	return is_somebodys(&route) ? refuse(family, address, &route, err) : 0;
}

static bool is_held(int family, const void *address, const char *by, struct route *ret_route)
{
	static const uint8_t unspecified[16];
	size_t size = family == AF_INET ? 4 : 16;

	return memcmp(address, unspecified, size) != 0 &&
	       find_route(family, address, ret_route, NULL) > 0 && ret_route->prefix == 8 * size &&
	       strcmp(ret_route->interface, by) != 0;
}

int netns_name_holder(const struct netns_link *link, struct error *err)
{
	const void *addresses[] = {&link->ipv4, &link->ipv6};
	static const int families[] = {AF_INET, AF_INET6};
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct route route;

		if (!is_held(families[i], addresses[i], link->name, &route))
			continue;
		inet_ntop(families[i], addresses[i], text, sizeof(text));
		error_say(err, ERROR_REFUSED,
			  "this host has a route to %s by '%s' already%s: choose another network "
			  "for '%s' in '/etc/stint/stint.yaml'",
			  text, route.interface,
			  is_of_link(&route) ? ", which is an instance's link, of another "
					       "STINT_ROOT with the same addresses perhaps"
					     : "",
			  key_of(families[i]));
		return error_with_code(err, -EEXIST);
	}
	return 0;
}
