/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs about the network, and the report's lines about interfaces and addresses. */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_SECONDS 5

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

/* Fills an address from "10.0.0.1" or "fe80::1"; the length, or 0 with errno. */
static socklen_t address_read(const char *text, const char *port, union address *ret_address)
{
	uint16_t number_of_port = htons((uint16_t)number(port));

	*ret_address = (union address){0};
	if (inet_pton(AF_INET, text, &ret_address->v4.sin_addr) == 1) {
		ret_address->v4.sin_family = AF_INET;
		ret_address->v4.sin_port = number_of_port;
		return sizeof(ret_address->v4);
	}
	if (inet_pton(AF_INET6, text, &ret_address->v6.sin6_addr) == 1) {
		ret_address->v6.sin6_family = AF_INET6;
		ret_address->v6.sin6_port = number_of_port;
		return sizeof(ret_address->v6);
	}
	errno = EINVAL;
	return 0;
}

/* "@name" is an abstract address, anything else a path. */
static socklen_t local_address_read(const char *text, union address *ret_address)
{
	size_t length = strlen(text);

	*ret_address = (union address){.local.sun_family = AF_UNIX};
	if (length >= sizeof(ret_address->local.sun_path)) {
		errno = ENAMETOOLONG;
		return 0;
	}
	memcpy(ret_address->local.sun_path, text, length);
	if (text[0] == '@')
		ret_address->local.sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static int connect_to(const union address *address, socklen_t length)
{
	struct timeval limit = {.tv_sec = CONNECT_SECONDS};
	int fd = length > 0 ? socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	int failure;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, &address->any, length) < 0) {
		failure = errno == EINPROGRESS ? ETIMEDOUT : errno;
		close(fd);
		errno = failure;
		return -1;
	}
	close(fd);
	puts("connected");
	return 0;
}

int verb_connect(char **argument)
{
	union address address;
	socklen_t length = address_read(argument[0], argument[1], &address);

	return connect_to(&address, length);
}

int verb_unix_connect(char **argument)
{
	union address address;
	socklen_t length = local_address_read(argument[0], &address);

	return connect_to(&address, length);
}

static int listen_on(const union address *address, socklen_t length)
{
	int fd = length > 0 ? socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, &address->any, length) < 0 || listen(fd, SOMAXCONN) < 0) {
		int failure = errno;

		close(fd);
		errno = failure;
		return -1;
	}
	puts("listening");
	return fd;
}

static void echo(int fd)
{
	char block[4096];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0) {
		if (write(fd, block, (size_t)n) != n)
			break;
	}
	_exit(0);
}

static int serve_echo(int listener)
{
	signal(SIGCHLD, SIG_IGN); /* nobody waits for the children */
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
			return -1;
		if (fd < 0)
			continue;
		if (fork() == 0)
			echo(fd);
		close(fd);
	}
}

int verb_tcp_listen(char **argument)
{
	union address address;
	int fd = listen_on(&address, address_read("0.0.0.0", argument[0], &address));

	return fd < 0 ? -1 : serve_echo(fd);
}

int verb_unix_listen(char **argument)
{
	union address address;
	int fd = listen_on(&address, local_address_read(argument[0], &address));

	return fd < 0 ? -1 : serve_echo(fd);
}

static void interface_report(const struct ifaddrs *entry)
{
	report_line(entry->ifa_flags & IFF_UP ? "up" : "down", "interface.%s", entry->ifa_name);
}

static void address_report(const struct ifaddrs *entry)
{
	const union address *address = (const union address *)(const void *)entry->ifa_addr;
	char text[INET6_ADDRSTRLEN];

	if (address->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &address->v4.sin_addr, text, sizeof(text));
	else if (address->any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &address->v6.sin6_addr, text, sizeof(text));
	else
		return;
	report_line(text, "address.%s", entry->ifa_name);
}

/* The list has one entry of family AF_PACKET for each interface that has a link. */
void report_network(void)
{
	struct ifaddrs *list;

	if (getifaddrs(&list) < 0) {
		report_line(strerror(errno), "interface");
		return;
	}
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		if (!entry->ifa_addr || entry->ifa_addr->sa_family == AF_PACKET)
			interface_report(entry);
		else
			address_report(entry);
	}
	freeifaddrs(list);
}
