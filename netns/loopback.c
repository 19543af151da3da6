/* SPDX-License-Identifier: Apache-2.0 */
/* The network of an instance without a link; see inside.h. In init. */
#include "netns/inside.h"
#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define LOOPBACK_INDEX 1 /* always, in every network namespace */

struct link_request {
	struct nlmsghdr header;
	struct ifinfomsg link;
};

struct address_request {
	struct nlmsghdr header;
	struct ifaddrmsg address;
	struct rtattr attribute;
	uint8_t value[16]; /* IPv4: the first four */
};

/* Sends one request and waits for its acknowledgement. */
static int nl_talk(int fd, struct nlmsghdr *request)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer;
	ssize_t n;

	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(fd, request, request->nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &answer, sizeof(answer), MSG_TRUNC);
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(answer) || answer.header.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.error.error;
}

static int nl_link_up(int fd)
{
	struct link_request request = {
		.header = {.nlmsg_len = sizeof(request), .nlmsg_type = RTM_NEWLINK},
		.link = {.ifi_index = LOOPBACK_INDEX, .ifi_flags = IFF_UP, .ifi_change = IFF_UP},
	};

	return nl_talk(fd, &request.header);
}

static int nl_address_add(int fd, int family, const void *address)
{
	size_t size = family == AF_INET ? 4 : 16;
	struct address_request request = {
		.header = {.nlmsg_len = (uint32_t)(offsetof(struct address_request, value) + size),
			   .nlmsg_type = RTM_NEWADDR,
			   .nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL},
		.address = {.ifa_family = (uint8_t)family,
			    .ifa_prefixlen = (uint8_t)(8 * size),
			    .ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0,
			    .ifa_index = LOOPBACK_INDEX},
		.attribute = {.rta_len = (unsigned short)RTA_LENGTH(size), .rta_type = IFA_LOCAL},
	};

	memcpy(request.value, address, size);
	return nl_talk(fd, &request.header);
}

/* A kernel without IPv6, or one where it is switched off, has an instance do without. */
static int nl_address6_add(int fd, const char *text)
{
	struct in6_addr address;
	int r = 0;

	if (*text && inet_pton(AF_INET6, text, &address) == 1)
		r = nl_address_add(fd, AF_INET6, &address);
	return r == -EOPNOTSUPP || r == -EACCES ? 0 : r;
}

int netns_loopback_up(uint32_t address, const char *address6, struct error *err)
{
	cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	uint32_t ipv4 = htonl(address);
	int r;

	if (fd < 0)
		return error_set(err, errno, "cannot open a netlink socket");
	r = nl_link_up(fd);
	if (r < 0)
		return error_set(err, -r, "cannot bring 'lo' up");
	r = nl_address_add(fd, AF_INET, &ipv4);
	if (r == 0)
		r = nl_address6_add(fd, address6);
	if (r < 0)
		return error_set(err, -r, "cannot add the instance's address to 'lo'");
	return 0;
}
