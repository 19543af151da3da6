/* SPDX-License-Identifier: Apache-2.0 */
/* Watching the firewall's table; see watch.h. In keepers. */
#include "netns/watch.h"
#include "base/cleanup.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGES_SIZE 32768
#define FAMILY_INET 1 /* NFPROTO_INET, whose header needs the C library's of another one */

struct table_request {
	struct nlmsghdr header;
	struct nfgenmsg message;
	struct nlattr attribute;
	char name[NFT_TABLE_MAXNAMELEN];
};

int netns_watch_open(struct error *err)
{
	cleanup_fd int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	/* bound, if only to any number: news for everybody are for all but number 0 */
	const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	const int group = NFNLGRP_NFTABLES;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return error_set(err, errno, "cannot watch the host's nftables");
	return steal_fd(&fd);
}

static bool names_table(const struct nlmsghdr *header, const char *table)
{
	size_t left = header->nlmsg_len - NLMSG_LENGTH(sizeof(struct nfgenmsg));
	const char *at = (const char *)NLMSG_DATA(header) + NLMSG_ALIGN(sizeof(struct nfgenmsg));

	while (left >= NLA_HDRLEN) {
		const struct nlattr *attribute = (const struct nlattr *)at;
		size_t length = NLA_ALIGN(attribute->nla_len);

		if (attribute->nla_len < NLA_HDRLEN || length > left)
			return false;
		if ((attribute->nla_type & NLA_TYPE_MASK) == NFTA_TABLE_NAME)
			return strncmp(at + NLA_HDRLEN, table, attribute->nla_len - NLA_HDRLEN) ==
			       0;
		at += length;
		left -= length;
	}
	return false;
}

static bool has_deletion(char *messages, size_t n, const char *table)
{
	unsigned left = (unsigned)n;

	for (struct nlmsghdr *header = (struct nlmsghdr *)messages; NLMSG_OK(header, left);
	     header = NLMSG_NEXT(header, left))
		if (header->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE) &&
		    header->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nfgenmsg)) &&
		    names_table(header, table))
			return true;
	return false;
}

bool netns_watch_take(int fd, const char *table)
{
	char messages[MESSAGES_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	bool lost = false;

	for (;;) {
		ssize_t n = recv(fd, messages, sizeof(messages), MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return lost || errno == ENOBUFS;
		lost |= (size_t)n > sizeof(messages) || has_deletion(messages, (size_t)n, table);
	}
}

/* 1 and 0 as the kernel answers, negative when it does not. */
static int ask_for_table(const char *table)
{
	cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	size_t length = strlen(table) + 1;
	struct table_request request = {
		.header = {.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE,
			   .nlmsg_flags = NLM_F_REQUEST},
		.message = {.nfgen_family = FAMILY_INET, .version = NFNETLINK_V0},
		.attribute = {.nla_len = (unsigned short)(NLA_HDRLEN + length),
			      .nla_type = NFTA_TABLE_NAME},
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer;
	ssize_t n;

	if (length > sizeof(request.name))
		return -ENAMETOOLONG;
	memcpy(request.name, table, length);
	request.header.nlmsg_len =
		(unsigned)NLMSG_ALIGN(offsetof(struct table_request, name) + length);
	if (fd < 0 || send(fd, &request, request.header.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &answer, sizeof(answer), MSG_TRUNC);
	if (n < (ssize_t)sizeof(answer))
		return -EIO;
	if (answer.header.nlmsg_type != NLMSG_ERROR)
		return 1;
	return answer.error.error == -ENOENT ? 0 : answer.error.error;
}

bool netns_watch_has_table(const char *table)
{
	return ask_for_table(table) != 0;
}

bool netns_watch_finds_table(const char *table)
{
	return ask_for_table(table) > 0;
}
