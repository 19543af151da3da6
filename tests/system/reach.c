/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the network send and answer. Runs in whatever network namespace it is started.
 *
 *	reach serve PORT			answers TCP and UDP, until it is killed
 *	reach tcp|udp ADDRESS PORT [SOURCE]
 *	reach icmp ADDRESS [SOURCE]		needs net.ipv4.ping_group_range
 *	reach hold ADDRESS PORT			connects, says "held", then "cut" when it is cut
 *	reach knock ADDRESS PORT NUMBER		asks for a page so often, each time anew
 *
 * The answer is "reached"; "denied" when somebody said no; or "silent" when nothing came.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 1000
#define HOLD_MS 20000

struct endpoint {
	struct sockaddr_storage address;
	socklen_t size;
};

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static struct endpoint endpoint_of(const char *text, const char *port)
{
	struct endpoint made = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&made.address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&made.address;
	uint16_t number = htons((uint16_t)(port ? strtoul(port, NULL, 10) : 0));

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = number;
		made.size = sizeof(*v4);
	} else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = number;
		made.size = sizeof(*v6);
	} else {
		fail(text);
	}
	return made;
}

static int say(const char *word)
{
	puts(word);
	fflush(stdout);
	return 0;
}

static const char *word_for(int errnum)
{
	return errnum == ETIMEDOUT || errnum == EAGAIN ? "silent" : "denied";
}

/* From a source that need not be one of this namespace's own. */
static void bind_source(int fd, const char *source)
{
	const int on = 1;
	struct endpoint from;

	if (!source)
		return;
	from = endpoint_of(source, NULL);
	setsockopt(fd, SOL_IP, IP_TRANSPARENT, &on, sizeof(on));
	setsockopt(fd, SOL_IPV6, IPV6_TRANSPARENT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&from.address, from.size) < 0)
		fail("bind");
}

static int open_to(int type, int protocol, const struct endpoint *to, const char *source)
{
	int fd = socket(to->address.ss_family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		fail("socket");
	bind_source(fd, source);
	return fd;
}

/* Waits until fd has an answer or an error; the errno, ETIMEDOUT for neither. */
static int await(int fd, short events, int ms)
{
	struct pollfd polled = {.fd = fd, .events = events};
	socklen_t size = sizeof(int);
	int errnum = 0;

	if (poll(&polled, 1, ms) == 0)
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &size);
	return errnum;
}

static int connect_within(int fd, const struct endpoint *to)
{
	if (connect(fd, (const struct sockaddr *)&to->address, to->size) == 0)
		return 0;
	return errno == EINPROGRESS ? await(fd, POLLOUT, PATIENCE_MS) : errno;
}

static int reach_tcp(const struct endpoint *to, const char *source)
{
	int fd = open_to(SOCK_STREAM | SOCK_NONBLOCK, 0, to, source);
	int errnum = connect_within(fd, to);

	return say(errnum ? word_for(errnum) : "reached");
}

/* One datagram, and what comes for it. */
static int exchange(int fd, const struct endpoint *to, const void *message, size_t length)
{
	char answer[512];
	int errnum = connect_within(fd, to);

	if (errnum == 0 && send(fd, message, length, 0) < 0)
		errnum = errno;
	if (errnum == 0)
		errnum = await(fd, POLLIN, PATIENCE_MS);
	if (errnum == 0 && recv(fd, answer, sizeof(answer), MSG_DONTWAIT) < 0)
		errnum = errno;
	return say(errnum ? word_for(errnum) : "reached");
}

static int reach_udp(const struct endpoint *to, const char *source)
{
	return exchange(open_to(SOCK_DGRAM | SOCK_NONBLOCK, 0, to, source), to, "hello", 5);
}

static int reach_icmp(const struct endpoint *to, const char *source)
{
	const int on = 1;
	struct icmphdr v4 = {.type = ICMP_ECHO};
	struct icmp6_hdr v6 = {.icmp6_type = ICMP6_ECHO_REQUEST};
	bool is_v4 = to->address.ss_family == AF_INET;
	int fd = open_to(SOCK_DGRAM | SOCK_NONBLOCK, is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, to,
			 source);

	setsockopt(fd, is_v4 ? SOL_IP : SOL_IPV6, is_v4 ? IP_RECVERR : IPV6_RECVERR, &on,
		   sizeof(on));
	return is_v4 ? exchange(fd, to, &v4, sizeof(v4)) : exchange(fd, to, &v6, sizeof(v6));
}

/* Sends a byte now and then, as a cut connection is noticed by. */
static int hold(const struct endpoint *to)
{
	int fd = open_to(SOCK_STREAM | SOCK_NONBLOCK, 0, to, NULL);
	int errnum = connect_within(fd, to);

	say(errnum ? word_for(errnum) : "held");
	for (int waited = 0; errnum == 0 && waited < HOLD_MS; waited += 50) {
		struct pollfd polled = {.fd = fd, .events = POLLIN};
		char byte;

		poll(&polled, 1, 50);
		if (send(fd, ".", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
			return say("cut");
		if (polled.revents && recv(fd, &byte, 1, MSG_DONTWAIT) <= 0 && errno != EAGAIN)
			return say("cut");
	}
	return say("still held");
}

static int listen_on(int type, const char *port)
{
	struct endpoint any = endpoint_of("::", port);
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int off = 0, on = 1;

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any.address, any.size) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 128) < 0))
		fail("bind");
	return fd;
}

/* One connection: a question, the whole answer, and the end of it. */
static bool knock_once(const struct endpoint *to)
{
	static const char question[] = "GET / HTTP/1.0\r\n\r\n";
	int fd = socket(to->address.ss_family, SOCK_STREAM, 0);
	char answer[4096];
	ssize_t n = -1, all = 0;

	if (connect(fd, (const struct sockaddr *)&to->address, to->size) == 0 &&
	    send(fd, question, sizeof(question) - 1, 0) == (ssize_t)sizeof(question) - 1)
		while ((n = recv(fd, answer, sizeof(answer), 0)) > 0)
			all += n;
	close(fd);
	return n == 0 && all > 0;
}

static int knock(const struct endpoint *to, const char *number)
{
	unsigned long wanted = strtoul(number, NULL, 10);

	for (unsigned long i = 0; i < wanted; i++)
		if (!knock_once(to))
			return 1;
	return 0;
}

/* The answer comes from the address that was asked: a client takes no other. */
static void echo(int fd)
{
	char message[512], control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct sockaddr_storage from;
	struct iovec part = {.iov_base = message, .iov_len = sizeof(message)};
	struct msghdr packet = {.msg_name = &from,
				.msg_namelen = sizeof(from),
				.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &packet, 0);
	struct cmsghdr *header;

	if (n < 0)
		return;
	header = CMSG_FIRSTHDR(&packet);
	if (header && header->cmsg_type == IPV6_PKTINFO)
		((struct in6_pktinfo *)CMSG_DATA(header))->ipi6_ifindex = 0;
	part.iov_len = (size_t)n;
	sendmsg(fd, &packet, 0);
}

static void serve(const char *port)
{
	struct pollfd polled[] = {{.fd = listen_on(SOCK_STREAM, port), .events = POLLIN},
				  {.fd = listen_on(SOCK_DGRAM, port), .events = POLLIN}};

	say("serving");
	for (;;) {
		poll(polled, 2, -1);
		accept(polled[0].fd, NULL, NULL); /* and kept open */
		echo(polled[1].fd);
	}
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	struct endpoint to;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(verb, "serve") == 0)
		serve(argv[2]);
	if (argc < 3)
		return 2;
	to = endpoint_of(argv[2], argc > 3 && strcmp(verb, "icmp") != 0 ? argv[3] : NULL);
	if (strcmp(verb, "icmp") == 0)
		return reach_icmp(&to, argc > 3 ? argv[3] : NULL);
	if (argc < 4)
		return 2;
	if (strcmp(verb, "tcp") == 0)
		return reach_tcp(&to, argc > 4 ? argv[4] : NULL);
	if (strcmp(verb, "udp") == 0)
		return reach_udp(&to, argc > 4 ? argv[4] : NULL);
	if (strcmp(verb, "knock") == 0 && argc > 4)
		return knock(&to, argv[4]);
	return strcmp(verb, "hold") == 0 ? hold(&to) : 2;
}
