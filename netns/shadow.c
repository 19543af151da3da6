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

static int refuse(int family, const void *address, const struct route *route, struct error *err)
{
	char text[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	inet_ntop(family, address, text, sizeof(text));
	inet_ntop(family, route->destination, to, sizeof(to));
	if (route->type == RTN_LOCAL)
		return error_say(err, ERROR_REFUSED,
				 "%s is an address of this host: choose another network for '%s' "
				 "in '/etc/stint/stint.yaml'",
				 text, family == AF_INET ? "addresses" : "addresses6");
	return error_say(err, ERROR_REFUSED,
			 "this host routes %s/%u by '%s', and a link for %s would take that away: "
			 "choose another network for '%s' in '/etc/stint/stint.yaml'",
			 to, route->prefix, route->interface, text,
			 family == AF_INET ? "addresses" : "addresses6");
}

int netns_check_route(int family, const void *address, struct error *err)
{
	cleanup_fd int fd = request_open_raw(-1, NETLINK_ROUTE, err);
	struct route route = {0};
	int r = fd < 0 ? fd : ask(fd, family, address);

	if (fd < 0)
		return fd;
	if (r == 0)
		r = take_route(fd, &route);
	if (r < 0)
		return error_set(err, -r, "cannot ask for the host's routes");
	return r > 0 && is_somebodys(&route) ? refuse(family, address, &route, err) : 0;
}
