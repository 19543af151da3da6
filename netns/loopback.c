/* SPDX-License-Identifier: Apache-2.0 */
/* The network of an instance without a link; see inside.h. In init. */
#include "netns/inside.h"
#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
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
	uint32_t value;
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

static int nl_address_add(int fd, uint32_t address)
{
	struct address_request request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = RTM_NEWADDR,
			   .nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL},
		.address = {.ifa_family = AF_INET,
			    .ifa_prefixlen = 32,
			    .ifa_index = LOOPBACK_INDEX},
		.attribute = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = IFA_LOCAL},
		.value = htonl(address),
	};

	return nl_talk(fd, &request.header);
}

int netns_loopback_up(uint32_t address, struct error *err)
{
	cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int r;

	if (fd < 0)
		return error_set(err, errno, "cannot open a netlink socket");
	r = nl_link_up(fd);
	if (r < 0)
		return error_set(err, -r, "cannot bring 'lo' up");
	r = nl_address_add(fd, address);
	if (r < 0)
		return error_set(err, -r, "cannot add the instance's address to 'lo'");
	return 0;
}
