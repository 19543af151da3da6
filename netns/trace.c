/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of packets through nftables; see trace.h. In commands. */
#include "netns/trace.h"
#include "base/cleanup.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGES_SIZE 32768

int trace_open(struct error *err)
{
	cleanup_fd int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	const struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	const int group = NFNLGRP_NFTRACE;

	/* without a number of its own it would not hear what the kernel says of itself */
	if (fd < 0 || bind(fd, (const struct sockaddr *)&self, sizeof(self)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return error_set(err, errno, "cannot follow packets through nftables");
	return steal_fd(&fd);
}

struct attribute {
	unsigned type;
	const uint8_t *value;
	size_t length;
};

/* The attribute at *at, which moves on to the next; false behind the last one. */
static bool next(const uint8_t **at, size_t *left, struct attribute *ret_attribute)
{
	const struct nlattr *attribute = (const struct nlattr *)*at;
	size_t whole;

	if (*left < NLA_HDRLEN || attribute->nla_len < NLA_HDRLEN || attribute->nla_len > *left)
		return false;
	whole = NLA_ALIGN(attribute->nla_len);
	ret_attribute->type = attribute->nla_type & NLA_TYPE_MASK;
	ret_attribute->value = *at + NLA_HDRLEN;
	ret_attribute->length = attribute->nla_len - NLA_HDRLEN;
	*at += whole < *left ? whole : *left;
	*left -= whole < *left ? whole : *left;
	return true;
}

static uint32_t number(const struct attribute *attribute)
{
	uint32_t value = 0;

	if (attribute->length >= sizeof(value))
		memcpy(&value, attribute->value, sizeof(value));
	return ntohl(value);
}

static uint64_t long_number(const struct attribute *attribute)
{
	uint64_t value = 0;

	if (attribute->length >= sizeof(value))
		memcpy(&value, attribute->value, sizeof(value));
	return be64toh(value);
}

static void copy_name(const struct attribute *attribute, char *name, size_t size)
{
	size_t n = strnlen((const char *)attribute->value, attribute->length);

	n = n < size ? n : size - 1;
	memcpy(name, attribute->value, n);
	name[n] = '\0';
}

static uint32_t verdict_in(const struct attribute *nested)
{
	const uint8_t *at = nested->value;
	size_t left = nested->length;
	struct attribute attribute;

	while (next(&at, &left, &attribute))
		if (attribute.type == NFTA_VERDICT_CODE)
			return number(&attribute);
	return NF_ACCEPT;
}

static void take_header(const struct attribute *attribute, struct trace_event *event)
{
	size_t n = attribute->length;

	event->header_length = n < sizeof(event->header) ? n : sizeof(event->header);
	memcpy(event->header, attribute->value, event->header_length);
}

static void take_attribute(const struct attribute *attribute, struct trace_event *event)
{
	switch (attribute->type) {
	case NFTA_TRACE_ID:
		event->id = number(attribute);
		break;
	case NFTA_TRACE_TABLE:
		copy_name(attribute, event->table, sizeof(event->table));
		break;
	case NFTA_TRACE_CHAIN:
		copy_name(attribute, event->chain, sizeof(event->chain));
		break;
	case NFTA_TRACE_RULE_HANDLE:
		event->rule = long_number(attribute);
		break;
	case NFTA_TRACE_TYPE:
		event->by_policy = number(attribute) == NFT_TRACETYPE_POLICY;
		break;
	case NFTA_TRACE_VERDICT:
		event->verdict = verdict_in(attribute);
		break;
	case NFTA_TRACE_POLICY:
		event->verdict = number(attribute);
		break;
	case NFTA_TRACE_NETWORK_HEADER:
		take_header(attribute, event);
		break;
	case NFTA_TRACE_TRANSPORT_HEADER:
		if (attribute->length >= 2)
			event->source_port =
				(uint16_t)(attribute->value[0] << 8 | attribute->value[1]);
		break;
	default:
		break;
	}
}

static struct trace_event read_event(const struct nlmsghdr *header)
{
	const struct nfgenmsg *message = NLMSG_DATA(header);
	struct trace_event event = {.nfproto = message->nfgen_family, .verdict = NF_ACCEPT};
	const uint8_t *at = (const uint8_t *)message + NLMSG_ALIGN(sizeof(*message));
	size_t left = header->nlmsg_len - NLMSG_LENGTH(sizeof(*message));
	struct attribute attribute;

	while (next(&at, &left, &attribute))
		take_attribute(&attribute, &event);
	return event;
}

bool trace_take(int fd, void (*hear)(void *who, const struct trace_event *event), void *who)
{
	char messages[MESSAGES_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t n;

	while ((n = recv(fd, messages, sizeof(messages), MSG_TRUNC)) >= 0 || errno == EINTR) {
		unsigned left = n < 0 ? 0 : (unsigned)n;

		if (left > sizeof(messages))
			return false;
		for (struct nlmsghdr *header = (struct nlmsghdr *)messages; NLMSG_OK(header, left);
		     header = NLMSG_NEXT(header, left)) {
			struct trace_event event;

			if (header->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE) ||
			    header->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
				continue;
			event = read_event(header);
			hear(who, &event);
		}
	}
	return errno == EAGAIN;
}
