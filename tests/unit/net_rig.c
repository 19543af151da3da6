/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of the tests; see net_rig.h. */
#include "net_rig.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "netns/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 2000
#define SILENCE_MS 60 /* only ever waited for where nothing may come */

/* What is denied is answered, but the kernel answers one address only so often. */
static const char answer_always[] =
	"sysctl -qw net.ipv4.icmp_ratemask=0 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 "
	"net.ipv4.ping_group_range='0 0' && sysctl -qw net.ipv6.icmp.ratemask=255";

struct any_address {
	struct sockaddr_storage storage;
	socklen_t size;
};

static struct any_address address_of(const char *text, uint16_t port)
{
	struct any_address made = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&made.storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&made.storage;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		made.size = sizeof(*v4);
		return made;
	}
	must(inet_pton(AF_INET6, text, &v6->sin6_addr) == 1);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	made.size = sizeof(*v6);
	return made;
}

static int own_netns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	must(fd >= 0);
	return fd;
}

int net_go_to(const struct place *place)
{
	int home = own_netns();

	must(setns(place->netns, CLONE_NEWNET) == 0);
	return home;
}

void net_come_home(int home)
{
	must(setns(home, CLONE_NEWNET) == 0);
	close(home);
}

char *net_read(const char *command)
{
	cleanup_text struct text text = {0};
	int pipe[2], status;
	char part[4096];
	ssize_t n;
	pid_t child;

	must(pipe2(pipe, O_CLOEXEC) == 0);
	child = fork();
	if (child == 0) {
		dup2(pipe[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(pipe[1]);
	while ((n = read(pipe[0], part, sizeof(part))) > 0)
		text_add_bytes(&text, part, (size_t)n);
	close(pipe[0]);
	must(waitpid(child, &status, 0) == child && status == 0);
	return text_take(&text);
}

void net_shell(const char *command)
{
	free(net_read(command));
}

void net_run(const struct place *place, const char *command)
{
	int home = net_go_to(place);

	net_shell(command);
	net_come_home(home);
}

static int listen_on(int type)
{
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct any_address any = address_of("::", NET_PORT);
	static const int on = 1;

	must(fd >= 0 && bind(fd, (struct sockaddr *)&any.storage, any.size) == 0);
	must(type != SOCK_STREAM || listen(fd, 4096) == 0);
	must(setsockopt(fd, SOL_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == 0);
	return fd;
}

static void answer_here(struct place *place)
{
	net_shell(answer_always);
	place->tcp = listen_on(SOCK_STREAM);
	place->udp = listen_on(SOCK_DGRAM);
}

void net_make_world(struct place *ret_host, struct place *ret_outside)
{
	struct place host = {.netns = own_netns()}, outside = {0};
	char command[256];

	must(unshare(CLONE_NEWNET) == 0);
	outside.netns = own_netns();
	net_shell("ip link set lo up");
	answer_here(&outside);
	must(setns(host.netns, CLONE_NEWNET) == 0);
	snprintf(
		command, sizeof(command),
		"ip link set lo up; ip link add up0 type veth peer name down0 netns /proc/%d/fd/%d",
		getpid(), outside.netns);
	net_run(&host, command);
	net_run(&host, "ip -b - <<E\n"
		       "addr add " NET_HOST4 "/24 dev up0\n"
		       "addr add " NET_HOST6 "/64 dev up0 nodad\n"
		       "addr add " NET_OTHER4 "/32 dev lo\n"
		       "addr add " NET_OTHER6 "/128 dev lo nodad\n"
		       "link set up0 up\nE");
	net_run(&outside, "ip -b - <<E\n"
			  "addr add 192.0.2.2/24 dev down0\n"
			  "addr add fd00:99::2/64 dev down0 nodad\n"
			  "link set down0 up\n"
			  "addr add " NET_PUBLIC4 "/32 dev lo\n"
			  "addr add " NET_PRIVATE4 "/32 dev lo\n"
			  "addr add " NET_METADATA4 "/32 dev lo\n"
			  "addr add " NET_ABSENT4 "/32 dev lo\n"
			  "addr add " NET_ABSENT6 "/128 dev lo nodad\n"
			  "addr add " NET_PUBLIC6 "/128 dev lo nodad\n"
			  "addr add " NET_PRIVATE6 "/128 dev lo nodad\nE");
	net_run(&host, "ip route add default via 192.0.2.2; "
		       "ip -6 route add default via fd00:99::2");
	answer_here(&host);
	*ret_host = host;
	*ret_outside = outside;
}

void net_make_instance(unsigned number, unsigned zone, struct place *ret_instance)
{
	struct place made = {.link = {.group = NET_GROUP + zone}};
	struct error err = {0};
	int home = own_netns();
	char id[16];

	snprintf(id, sizeof(id), "a%07x", number);
	netns_link_name(id, made.link.name);
	made.link.ipv4.s_addr = htonl(NET_FIRST + number);
	inet_pton(AF_INET6, NET_PREFIX6, &made.link.ipv6);
	made.link.ipv6.s6_addr[15] = (uint8_t)number;
	inet_ntop(AF_INET, &made.link.ipv4, made.address4, sizeof(made.address4));
	inet_ntop(AF_INET6, &made.link.ipv6, made.address6, sizeof(made.address6));
	must(unshare(CLONE_NEWNET) == 0);
	made.netns = own_netns();
	must_succeed(netns_loopback_up(NET_FIRST + number, made.address6, &err), &err);
	answer_here(&made);
	net_come_home(home);
	if (netns_ipv6_hindrance())
		made.link.ipv6 = in6addr_any;
	must_succeed(netns_link_make(&made.link, made.netns, &err), &err);
	*ret_instance = made;
}

void net_end(struct place *place)
{
	close(place->tcp);
	close(place->udp);
	close(place->netns);
}

static int error_of(int fd)
{
	socklen_t size = sizeof(int);
	int errnum = 0;

	must(getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &size) == 0);
	return errnum;
}

static int open_at(const struct place *from, int family, int protocol, const char *source)
{
	static const int on = 1;
	int home = net_go_to(from), fd;

	if (protocol == IPPROTO_ICMP)
		fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			    family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	else
		fd = socket(family,
			    (protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC |
				    SOCK_NONBLOCK,
			    0);
	must(fd >= 0);
	setsockopt(fd, family == AF_INET ? SOL_IP : SOL_IPV6,
		   family == AF_INET ? IP_RECVERR : IPV6_RECVERR, &on, sizeof(on));
	if (source) {
		struct any_address bound = address_of(source, 0);

		must(bind(fd, (struct sockaddr *)&bound.storage, bound.size) == 0);
	}
	net_come_home(home);
	return fd;
}

static enum answer reach_tcp(int fd, const struct any_address *to, int bound_ms)
{
	struct pollfd polled = {.fd = fd, .events = POLLOUT};

	if (connect(fd, (const struct sockaddr *)&to->storage, to->size) == 0)
		return REACHED;
	if (errno != EINPROGRESS)
		return DENIED;
	if (poll(&polled, 1, bound_ms) == 0)
		return SILENT;
	return error_of(fd) == 0 ? REACHED : DENIED;
}

/* From the address that was asked. */
static void echo(int server)
{
	char byte, control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	struct sockaddr_storage from;
	struct msghdr message = {.msg_name = &from,
				 .msg_namelen = sizeof(from),
				 .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};

	must(recvmsg(server, &message, 0) == 1 && CMSG_FIRSTHDR(&message));
	((struct in6_pktinfo *)CMSG_DATA(CMSG_FIRSTHDR(&message)))->ipi6_ifindex = 0;
	must(sendmsg(server, &message, 0) == 1);
}

static enum answer reach_udp(int fd, int server, int bound_ms)
{
	struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = server, .events = POLLIN}};
	char byte;

	for (;;) {
		if (poll(polled, 2, bound_ms) == 0)
			return SILENT;
		if (polled[1].revents & POLLIN)
			echo(server);
		if (polled[0].revents)
			return recv(fd, &byte, 1, 0) == 1 ? REACHED : DENIED;
	}
}

static enum answer reach_datagram(int fd, const struct place *at, const struct any_address *to,
				  int protocol, int bound_ms)
{
	static const struct icmphdr echo4 = {.type = ICMP_ECHO};
	static const struct icmp6_hdr echo6 = {.icmp6_type = ICMP6_ECHO_REQUEST};
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	char answer[64];
	ssize_t n;

	if (connect(fd, (const struct sockaddr *)&to->storage, to->size) < 0)
		return DENIED;
	if (protocol == IPPROTO_UDP)
		n = send(fd, "x", 1, 0);
	else if (to->storage.ss_family == AF_INET)
		n = send(fd, &echo4, sizeof(echo4), 0);
	else
		n = send(fd, &echo6, sizeof(echo6), 0);
	if (n < 0)
		return DENIED;
	if (protocol == IPPROTO_UDP)
		return reach_udp(fd, at->udp, bound_ms);
	if (poll(&polled, 1, bound_ms) == 0)
		return SILENT;
	return recv(fd, answer, sizeof(answer), 0) > 0 ? REACHED : DENIED;
}

enum answer net_reach(const struct place *from, const struct place *at, const char *address,
		      int protocol, const char *source)
{
	struct any_address to = address_of(address, protocol == IPPROTO_ICMP ? 0 : NET_PORT);
	int fd = open_at(from, to.storage.ss_family, protocol, source);
	int bound_ms = source ? SILENCE_MS : ANSWER_MS;
	enum answer answer = protocol == IPPROTO_TCP
				     ? reach_tcp(fd, &to, bound_ms)
				     : reach_datagram(fd, at, &to, protocol, bound_ms);

	close(fd);
	return answer;
}
