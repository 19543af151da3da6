/* SPDX-License-Identifier: Apache-2.0 */
/* What can be reached by network and by abstract socket; see hostile.h and bait.c. */
#include "hostile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_MS 1000
#define PORTS 65535

/* Where nobody is: TEST-NET-2. Sends nothing: a datagram socket that is connected. */
#define FAR_AWAY "198.51.100.1"

static int finish(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	int error = ETIMEDOUT;
	socklen_t length = sizeof(error);

	if (poll(&wait, 1, CONNECT_MS) > 0)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	errno = error;
	return error ? -1 : 0;
}

/* A port of ours that was free until now may meet itself. */
static int refuse_self(int fd)
{
	struct sockaddr_in here = {0}, there = {0};
	socklen_t n = sizeof(here), m = sizeof(there);

	getsockname(fd, (struct sockaddr *)&here, &n);
	getpeername(fd, (struct sockaddr *)&there, &m);
	errno = ECONNREFUSED;
	return here.sin_port == there.sin_port ? -1 : 0;
}

static int connect_to(const char *address, uint16_t port, int type)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r, errnum;

	if (fd < 0 || inet_pton(AF_INET, address, &name.sin_addr) != 1)
		return -1;
	r = connect(fd, (struct sockaddr *)&name, sizeof(name));
	if (r < 0 && errno == EINPROGRESS)
		r = finish(fd);
	if (r == 0)
		r = refuse_self(fd);
	errnum = errno;
	close(fd);
	errno = errnum;
	return r;
}

static struct verdict bait_at(const char *address)
{
	const char *port = host_value("port");

	if (!port)
		return absent("no port to connect to");
	if (connect_to(address, (uint16_t)atoi(port), SOCK_STREAM) < 0)
		return denied();
	return succeeded("%s answers", address);
}

static struct verdict loopback(void)
{
	return bait_at("127.0.0.1");
}

static struct verdict host_address(void)
{
	char address[64];
	const char *value = host_value("address");

	if (!value)
		return absent("the host has no address");
	snprintf(address, sizeof(address), "%s", value);
	return bait_at(address);
}

static struct verdict loopback6(void)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *port = host_value("port6");

	if (!port)
		return absent("the host has no IPv6");
	name.sin6_port = htons((uint16_t)atoi(port));
	return by_result(connect(fd, (struct sockaddr *)&name, sizeof(name)));
}

/* Every port: whatever the host, or an engine with an API on it, listens on. */
static struct verdict scan(void)
{
	for (unsigned port = 1; port <= PORTS; port++)
		if (connect_to("127.0.0.1", (uint16_t)port, SOCK_STREAM) == 0)
			return succeeded("port %u answers", port);
	errno = ECONNREFUSED;
	return denied();
}

static struct verdict outside(void)
{
	if (!host_value("route"))
		return absent("the host has no way out");
	return by_result(connect_to(FAR_AWAY, 53, SOCK_DGRAM));
}

/* /proc/net/dev has two lines of heading. */
static struct verdict interfaces(void)
{
	FILE *file = fopen("/proc/net/dev", "re");
	char line[256], name[32];
	unsigned n = 0;

	while (file && fgets(line, sizeof(line), file))
		if (++n > 2 && sscanf(line, " %31[^:]", name) == 1 && strcmp(name, "lo") != 0) {
			fclose(file);
			return succeeded("%s", name);
		}
	if (file)
		fclose(file);
	errno = ENODEV;
	return denied();
}

/* What it is already. */
static struct verdict configure(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (ioctl(fd, SIOCGIFMTU, &request) < 0)
		return denied();
	return by_result(ioctl(fd, SIOCSIFMTU, &request));
}

static struct verdict forwarding(void)
{
	return by_open("/proc/sys/net/ipv4/ip_forward", O_WRONLY);
}

static struct verdict abstract(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	const char *value = host_value("abstract");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n;

	if (!value)
		return absent("no socket to connect to");
	n = strlen(value);
	memcpy(name.sun_path + 1, value, n);
	return by_result(connect(fd, (struct sockaddr *)&name,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)));
}

static struct verdict abstract_names(void)
{
	FILE *file = fopen("/proc/net/unix", "re");
	const char *value = host_value("abstract");
	char name[64], line[256];

	if (!value)
		return absent("no name to look for");
	snprintf(name, sizeof(name), "@%s", value);
	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, name)) {
			fclose(file);
			return succeeded("%s", name);
		}
	if (file)
		fclose(file);
	errno = ENOENT;
	return denied();
}

static const struct probe list[] = {
	{"net-loopback", "26,29", "the host's loopback", "netns", loopback, {0}},
	{"net-loopback6", "26", "the host's loopback by IPv6", "netns", loopback6, {0}},
	{"net-host-address", "26", "an address of the host", "netns", host_address, {0}},
	{"net-scan", "26", "all ports of the loopback", "netns", scan, {0}},
	{"net-outside", "31", "a route to anywhere, name servers too", "netns", outside, {0}},
	{"net-interfaces", "28,29", "interfaces of the host", "netns", interfaces, {0}},
	{"net-configure", "38", "change an interface", POWER, configure, {0}},
	{"net-forwarding", "9,29", "write net.ipv4.ip_forward", "readonly,userns", forwarding, {0}},
	{"socket-abstract",
	 "25",
	 "an abstract socket of the host",
	 "netns,landlock",
	 abstract,
	 {0}},
	{"socket-names", "25", "names of the host's sockets", "netns", abstract_names, {0}},
};
const struct family family_network = {list, ARRAY_SIZE(list)};
