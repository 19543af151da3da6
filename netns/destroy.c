/* SPDX-License-Identifier: Apache-2.0 */
/* Ending TCP connections of a network namespace; see inside.h. In commands and in init. */
#include "netns/inside.h"
#include "base/cleanup.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGES_SIZE 32768
/* What has another end. */
#define LIVING                                                                                   \
	(1U << TCP_ESTABLISHED | 1U << TCP_SYN_SENT | 1U << TCP_SYN_RECV | 1U << TCP_FIN_WAIT1 | \
	 1U << TCP_FIN_WAIT2 | 1U << TCP_CLOSE_WAIT | 1U << TCP_LAST_ACK | 1U << TCP_CLOSING)

/* And what the kernel remembers for a minute, in which its port is taken. */
#define ENDED (1U << TCP_TIME_WAIT)

struct diag_request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

static int send_request(int fd, uint16_t type, uint16_t flags, const struct inet_diag_req_v2 *body)
{
	struct diag_request request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = type,
			   .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)},
		.body = *body,
	};

	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* The forwarder's connections lead from the instance's address to the same. */
static bool leads_out(const struct inet_diag_msg *found)
{
	static const uint32_t loopback6[4] = {0, 0, 0, 0x01000000};
	size_t size = found->idiag_family == AF_INET ? 4 : 16;

	if (memcmp(found->id.idiag_src, found->id.idiag_dst, size) == 0)
		return false;
	if (found->idiag_family == AF_INET)
		return *(const uint8_t *)found->id.idiag_dst != 127;
	return memcmp(found->id.idiag_dst, loopback6, size) != 0;
}

/* Not every kernel can; then a connection ends when its programs give it up. */
static void destroy(int fd, const struct inet_diag_msg *found)
{
	const struct inet_diag_req_v2 which = {.sdiag_family = found->idiag_family,
					       .sdiag_protocol = IPPROTO_TCP,
					       .id = found->id};
	char answer[256];

	if (send_request(fd, SOCK_DESTROY, NLM_F_ACK, &which) == 0)
		(void)recv(fd, answer, sizeof(answer), 0);
}

/* 1: there is more to come. */
static int take(int list, int killer, bool all)
{
	char messages[MESSAGES_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t n = recv(list, messages, sizeof(messages), 0);
	unsigned left = n > 0 ? (unsigned)n : 0;

	if (n < 0)
		return -errno;
	for (struct nlmsghdr *header = (struct nlmsghdr *)messages; NLMSG_OK(header, left);
	     header = NLMSG_NEXT(header, left)) {
		const struct inet_diag_msg *found = NLMSG_DATA(header);

		if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR)
			return 0;
		if (header->nlmsg_len >= NLMSG_LENGTH(sizeof(*found)) && (all || leads_out(found)))
			destroy(killer, found);
	}
	return n > 0;
}

static int destroy_family(int list, int killer, uint8_t family, bool all)
{
	const struct inet_diag_req_v2 wanted = {.sdiag_family = family,
						.sdiag_protocol = IPPROTO_TCP,
						.idiag_states = all ? LIVING | ENDED : LIVING};
	int r = send_request(list, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &wanted);

	while (r == 0 && (r = take(list, killer, all)) > 0)
		r = 0;
	return r;
}

int netns_destroy_connections(int list, int killer, bool all)
{
	int r = destroy_family(list, killer, AF_INET, all);

	return r == 0 ? destroy_family(list, killer, AF_INET6, all) : r;
}

void netns_forget_connections(void)
{
	cleanup_fd int list = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	cleanup_fd int killer = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (list >= 0 && killer >= 0)
		(void)netns_destroy_connections(list, killer, true);
}
