/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor's network, by netlink: what one process has to say is one message of several parts,
 * and only the last of them is acknowledged one by one. The parent makes the pair with the inner
 * end in the instance's network already, and says the rest for it from in there.
 */
#include "floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* From what is set aside for measuring: RFC 2544, RFC 5180. */
#define ADDRESS4 "198.18.0.2"
#define ADDRESS6 "2001:2::2"
#define GATEWAY4 "169.254.0.1"
#define GATEWAY6 "fe80::1"
#define INNER_INDEX 2

struct batch {
	char bytes[2048] __attribute__((aligned(NLMSG_ALIGNTO)));
	size_t length;
	struct nlmsghdr *last;
	int parts;
};

struct address {
	int family;
	unsigned char bytes[16];
	unsigned short size;
};

static const unsigned char inner_mac[6] = {2, 0x73, 0, 0, 0, 2},
			   outer_mac[6] = {2, 0x73, 0, 0, 0, 1};

static struct address parse(const char *text)
{
	struct address address = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	address.size = address.family == AF_INET ? 4 : 16;
	check(inet_pton(address.family, text, address.bytes) - 1, text);
	return address;
}

static void *begin(struct batch *batch, int type, int flags, size_t size)
{
	batch->last = (struct nlmsghdr *)(batch->bytes + batch->length);
	*batch->last = (struct nlmsghdr){
		.nlmsg_len = (unsigned)NLMSG_LENGTH(size),
		.nlmsg_type = (unsigned short)type,
		.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags),
	};
	batch->length += NLMSG_SPACE(size);
	batch->parts++;
	return NLMSG_DATA(batch->last);
}

static struct rtattr *add(struct batch *batch, int type, const void *data, size_t size)
{
	struct rtattr *attribute = (struct rtattr *)(batch->bytes + batch->length);

	attribute->rta_type = (unsigned short)type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), data, size);
	batch->length += RTA_SPACE(size);
	batch->last->nlmsg_len = (unsigned)(batch->bytes + batch->length - (char *)batch->last);
	return attribute;
}

static void add_number(struct batch *batch, int type, int number)
{
	add(batch, type, &number, sizeof(number));
}

/* Ends what began with add() and no data. */
static void enclose(struct batch *batch, struct rtattr *outer)
{
	outer->rta_len = (unsigned short)(batch->bytes + batch->length - (char *)outer);
}

static void send_all(int fd, const struct batch *batch)
{
	char answer[4096] __attribute__((aligned(NLMSG_ALIGNTO)));

	check(send(fd, batch->bytes, batch->length, 0), "netlink");
	for (int done = 0; done < batch->parts;) {
		ssize_t n = recv(fd, answer, sizeof(answer), 0);
		struct nlmsghdr *header = (struct nlmsghdr *)answer;

		check(n, "netlink");
		for (; NLMSG_OK(header, n); header = NLMSG_NEXT(header, n)) {
			const struct nlmsgerr *error = NLMSG_DATA(header);

			done++;
			errno = -error->error;
			check(error->error, "an object of the network");
		}
	}
}

static int open_netlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	check(fd, "netlink socket");
	return fd;
}

static void say_up(struct batch *batch, int index)
{
	struct ifinfomsg *link = begin(batch, RTM_NEWLINK, 0, sizeof(*link));

	*link = (struct ifinfomsg){.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
}

static void say_address(struct batch *batch, int index, const char *text)
{
	struct address address = parse(text);
	struct ifaddrmsg *message = begin(batch, RTM_NEWADDR, NLM_F_CREATE, sizeof(*message));

	*message = (struct ifaddrmsg){.ifa_family = (unsigned char)address.family,
				      .ifa_prefixlen = (unsigned char)(address.size * 8),
				      .ifa_flags = IFA_F_NODAD,
				      .ifa_index = (unsigned)index};
	add(batch, IFA_LOCAL, address.bytes, address.size);
}

static void say_neighbour(struct batch *batch, int index, const char *text,
			  const unsigned char *mac)
{
	struct address address = parse(text);
	struct ndmsg *message = begin(batch, RTM_NEWNEIGH, NLM_F_CREATE, sizeof(*message));

	*message = (struct ndmsg){.ndm_family = (unsigned char)address.family,
				  .ndm_ifindex = index,
				  .ndm_state = NUD_PERMANENT};
	add(batch, NDA_DST, address.bytes, address.size);
	add(batch, NDA_LLADDR, mac, 6);
}

/* To one address at the other end, or with a gateway to everywhere. */
static void say_route(struct batch *batch, int index, const char *to, const char *gateway)
{
	struct address address = parse(to ? to : gateway);
	struct rtmsg *message = begin(batch, RTM_NEWROUTE, NLM_F_CREATE, sizeof(*message));

	*message = (struct rtmsg){.rtm_family = (unsigned char)address.family,
				  .rtm_dst_len = (unsigned char)(to ? address.size * 8 : 0),
				  .rtm_table = RT_TABLE_MAIN,
				  .rtm_protocol = RTPROT_STATIC,
				  .rtm_scope = to ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
				  .rtm_type = RTN_UNICAST,
				  .rtm_flags = to ? 0 : RTNH_F_ONLINK};
	add(batch, to ? RTA_DST : RTA_GATEWAY, address.bytes, address.size);
	add_number(batch, RTA_OIF, index);
}

static void add_peer(struct batch *batch, int netns)
{
	struct rtattr *info = add(batch, IFLA_LINKINFO, NULL, 0), *data, *peer;
	struct ifinfomsg inner = {.ifi_index = INNER_INDEX};

	add(batch, IFLA_INFO_KIND, "veth", 4);
	data = add(batch, IFLA_INFO_DATA, NULL, 0);
	peer = add(batch, VETH_INFO_PEER, &inner, sizeof(inner));
	add(batch, IFLA_IFNAME, "eth0", 5);
	add(batch, IFLA_ADDRESS, inner_mac, 6);
	add_number(batch, IFLA_NET_NS_FD, netns);
	enclose(batch, peer);
	enclose(batch, data);
	enclose(batch, info);
}

static void make_pair(int fd, const char *name, int netns)
{
	struct batch batch = {0};
	struct ifinfomsg *link =
		begin(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*link));

	*link = (struct ifinfomsg){.ifi_flags = IFF_UP | IFF_NOARP,
				   .ifi_change = IFF_UP | IFF_NOARP};
	add(&batch, IFLA_IFNAME, name, strlen(name) + 1);
	add(&batch, IFLA_ADDRESS, outer_mac, 6);
	add_peer(&batch, netns);
	send_all(fd, &batch);
}

static void say_outer(int fd, int index)
{
	struct batch batch = {0};

	say_neighbour(&batch, index, ADDRESS4, inner_mac);
	say_route(&batch, index, ADDRESS4, NULL);
	say_neighbour(&batch, index, ADDRESS6, inner_mac);
	say_route(&batch, index, ADDRESS6, NULL);
	send_all(fd, &batch);
}

static void say_inner(int fd)
{
	struct batch batch = {0};

	say_up(&batch, 1);
	say_up(&batch, INNER_INDEX);
	say_address(&batch, INNER_INDEX, ADDRESS4);
	say_neighbour(&batch, INNER_INDEX, GATEWAY4, outer_mac);
	say_route(&batch, INNER_INDEX, NULL, GATEWAY4);
	say_address(&batch, INNER_INDEX, ADDRESS6);
	say_neighbour(&batch, INNER_INDEX, GATEWAY6, outer_mac);
	say_route(&batch, INNER_INDEX, NULL, GATEWAY6);
	send_all(fd, &batch);
}

void link_none(void)
{
	struct batch batch = {0};
	int fd = open_netlink();

	say_up(&batch, 1);
	say_address(&batch, 1, ADDRESS4);
	say_address(&batch, 1, ADDRESS6);
	send_all(fd, &batch);
	close(fd);
}

void link_make(const struct floor *floor)
{
	int fd = open_netlink();
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "fl%.10s", floor->id);
	make_pair(fd, name, floor->netns);
	say_outer(fd, (int)if_nametoindex(name));
	close(fd);
	/* the rest of this process's life: it has nothing more to do with the host's network */
	check(setns(floor->netns, CLONE_NEWNET), "enter the network");
	fd = open_netlink();
	say_inner(fd);
	close(fd);
}
