/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a packet out of an instance; see path.h. In commands. */
#include "netns/path.h"
#include "netns/obstacle.h"
#include "netns/request.h"
#include "netns/trace.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DISCARD_PORT 9
#define BOUND_NS (300 * NSEC_PER_MSEC)
#define HOSTS_TRIED 16	/* of a network */
#define AFTERWARDS_MS 2 /* for a chain behind our last one */

void path_finding_deinit(struct path_finding *finding)
{
	free(finding->text);
	free(finding->fix);
	*finding = (struct path_finding){.end = PATH_UNKNOWN};
}

static bool is_own(int family, const uint8_t *address)
{
	cleanup_nl_socket struct nl_sock *socket = NULL;

	return request_open(-1, &socket, NULL) == 0 && request_is_own(socket, family, address);
}

/* Not its own address, nor the one for all of it. */
static bool has_host(const struct firewall_opening *opening, unsigned host)
{
	unsigned bits = (opening->family == AF_INET ? 32U : 128U) - opening->prefix;

	return bits >= 8 || host < (1U << bits) - (bits > 1 ? 1U : 0U);
}

/* A network is tried at the first of its addresses that is not this host's. */
static bool set_destination(const struct firewall_opening *opening, struct path_probe *probe)
{
	size_t last = opening->family == AF_INET ? 3 : 15;
	bool single = opening->prefix == (last + 1) * 8;

	probe->port = opening->port;
	probe->protocol = opening->protocol;
	memcpy(probe->destination, opening->address, sizeof(probe->destination));
	if (opening->prefix == 0) {
		inet_pton(opening->family,
			  opening->family == AF_INET ? FIREWALL_ANYWHERE4 : FIREWALL_ANYWHERE6,
			  probe->destination);
		return true;
	}
	for (unsigned host = single ? 0 : 1; host < HOSTS_TRIED; host++) {
		if (!has_host(opening, host))
			break;
		probe->destination[last] = (uint8_t)(opening->address[last] | host);
		if (!is_own(opening->family, probe->destination))
			return true;
	}
	return false;
}

bool path_destination(const struct firewall_zone *zone, int family, struct path_probe *probe)
{
	const struct firewall_opening anywhere = {.family = family};

	probe->family = family;
	probe->peer = false;
	*probe->own = '\0';
	if (zone->internet)
		return set_destination(&anywhere, probe);
	for (size_t i = 0; i < zone->n_openings; i++) {
		if (zone->openings[i].family != family)
			continue;
		if (set_destination(&zone->openings[i], probe))
			return true;
		inet_ntop(family, probe->destination, probe->own, sizeof(probe->own));
	}
	return false;
}

/* As the firewall knows a packet that is to be told of. */
static int mark(int fd, int family)
{
	const int hops = FIREWALL_TRACED_HOPS, class = FIREWALL_TRACED_DSCP << 2;
	bool v4 = family == AF_INET;

	if (setsockopt(fd, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_TTL : IPV6_UNICAST_HOPS, &hops,
		       sizeof(hops)) < 0 ||
	    setsockopt(fd, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &class,
		       sizeof(class)) < 0)
		return -errno;
	return 0;
}

struct any_address {
	struct sockaddr_storage storage;
	socklen_t size;
};

static struct any_address destination_of(const struct path_probe *probe)
{
	uint16_t port = htons(probe->port ? probe->port : DISCARD_PORT);
	struct any_address to = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&to.storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&to.storage;

	to.storage.ss_family = (sa_family_t)probe->family;
	if (probe->family == AF_INET) {
		memcpy(&v4->sin_addr, probe->destination, sizeof(v4->sin_addr));
		v4->sin_port = port;
		to.size = sizeof(*v4);
	} else {
		memcpy(&v6->sin6_addr, probe->destination, sizeof(v6->sin6_addr));
		v6->sin6_port = port;
		to.size = sizeof(*v6);
	}
	return to;
}

static int send_packet(int fd, const struct path_probe *probe, uint16_t *ret_port)
{
	struct any_address to = destination_of(probe), from = {.size = sizeof(from.storage)};
	int r = mark(fd, probe->family);

	if (r == 0 && connect(fd, (struct sockaddr *)&to.storage, to.size) < 0 &&
	    errno != EINPROGRESS)
		r = -errno;
	if (r == 0 && getsockname(fd, (struct sockaddr *)&from.storage, &from.size) < 0)
		r = -errno;
	*ret_port =
		ntohs(probe->family == AF_INET ? ((struct sockaddr_in *)&from.storage)->sin_port
					       : ((struct sockaddr_in6 *)&from.storage)->sin6_port);
	if (r == 0 && probe->protocol != IPPROTO_TCP && send(fd, "stint", 5, MSG_NOSIGNAL) < 0)
		r = -errno;
	return r;
}

/* Another instance may send what looks traced, but not to here from there and that port. */
static bool is_ours(const struct path_way *way, const struct trace_event *event)
{
	bool v4 = way->probe->family == AF_INET;
	size_t at = v4 ? 16 : 24, length = v4 ? 4 : 16;

	if (way->seen)
		return event->id == way->id;
	return event->source_port == way->source_port && event->header_length >= at + length &&
	       memcmp(event->header + at, way->probe->destination, length) == 0;
}

static enum path_stage stage_in(const char *chain)
{
	if (strcmp(chain, "translated") == 0)
		return STAGE_LEFT;
	return strcmp(chain, "spoofed") == 0 || strcmp(chain, "from_instance_only") == 0
		       ? STAGE_CAME
		       : STAGE_FORWARDED;
}

static void hear(void *who, const struct trace_event *event)
{
	struct path_way *way = who;
	bool own = strcmp(event->table, way->probe->table) == 0;

	if (way->dropped || !is_ours(way, event))
		return;
	way->seen = true;
	way->id = event->id;
	if (own && stage_in(event->chain) > way->stage)
		way->stage = stage_in(event->chain);
	if (event->verdict == NF_DROP) {
		way->dropped = true;
		way->dropped_by_us = own;
		way->culprit = *event;
	}
}

static bool follow(int trace, struct path_way *way)
{
	int64_t until = clock_boottime_ns() + BOUND_NS, now;
	struct pollfd polled = {.fd = trace, .events = POLLIN};

	while (!way->dropped && way->stage < STAGE_LEFT && (now = clock_boottime_ns()) < until) {
		poll(&polled, 1, (int)((until - now) / NSEC_PER_MSEC) + 1);
		if (!trace_take(trace, hear, way))
			return false;
	}
	if (!way->dropped && poll(&polled, 1, AFTERWARDS_MS) > 0)
		return trace_take(trace, hear, way);
	return true;
}

int path_try(const struct path_probe *probe, struct path_finding *ret_finding, struct error *err)
{
	int type = probe->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct path_way way = {.probe = probe};
	cleanup_fd int trace = trace_open(err), fd = -1;
	int r;

	*ret_finding = (struct path_finding){.end = PATH_UNKNOWN};
	if (trace < 0)
		return trace;
	fd = request_socket(probe->netns, probe->family, type | SOCK_NONBLOCK, 0, err);
	if (fd < 0)
		return fd;
	r = send_packet(fd, probe, &way.source_port);
	if (r < 0)
		return error_set(err, -r, "cannot send a test packet from '%s'", probe->interface);
	way.lost = !follow(trace, &way);
	obstacle_conclude(&way, ret_finding);
	return 0;
}
