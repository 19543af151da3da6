/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to rtnetlink through libnl, here or in another network namespace. Private to this
 * folder. What returns an int without an error returns 0 or libnl's negative NLE_ code.
 */
#ifndef NETNS_REQUEST_H
#define NETNS_REQUEST_H

#include "base/error.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netlink/route/link.h>
#include <stdbool.h>
#include <netlink/socket.h>
#include <stdint.h>

/* One end of a link: where it is, which it is, and the hardware address of the other end. */
struct request_end {
	struct nl_sock *socket;
	int index;
	const uint8_t *mac;
};

/* A socket of the network namespace, -1: of this process's own. */
int request_open(int netns, struct nl_sock **ret_socket, struct error *err);

/* A socket(2), close-on-exec, of the network namespace; negative errno. netns as above. */
int request_socket(int netns, int family, int type, int protocol, struct error *err);

/* A netlink socket of that protocol without libnl; negative errno. netns as above. */
int request_open_raw(int netns, int protocol, struct error *err);

/* Addresses: struct in_addr or struct in6_addr, as the family says. */
int request_address(const struct request_end *end, int family, const void *address);
/* A permanent neighbour, which is never asked for. */
int request_neighbour(const struct request_end *end, int family, const void *address);
/*
 * To one address over the link; with destination NULL to everywhere, by a gateway on the link, from
 * a source address. -NLE_EXIST when there is such a route already.
 */
int request_route(const struct request_end *end, int family, const void *destination,
		  const void *gateway, const void *source);

/* Takes away the route to ff00::/8 that the kernel gives to each interface with IPv6. */
int request_remove_multicast(const struct request_end *end);

int request_link_index(struct nl_sock *socket, const char *name, int *ret_index);
/* The interface by which the address is reached, which is not one of the host itself. */
int request_uplink(struct nl_sock *socket, int family, const void *address, char name[IFNAMSIZ]);

/* Whether packets to that address are for this host itself. */
bool request_is_own(struct nl_sock *socket, int family, const void *address);
int request_delete_link(struct nl_sock *socket, const char *name);

/* Fills err with the words and what libnl says; returns the nearest negative errno. */
int request_error(struct error *err, int nle, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void request_free_socket(struct nl_sock **socket);
void request_free_link(struct rtnl_link **link);
void request_free_addr(struct nl_addr **addr);
#define cleanup_nl_socket cleanup(request_free_socket)
#define cleanup_rtnl_link cleanup(request_free_link)
#define cleanup_nl_addr cleanup(request_free_addr)

#endif
