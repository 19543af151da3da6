/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses (ip(7), ipv6(7)). */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* True for an IPv4 or IPv6 address that only this host reaches. */
bool address_is_loopback(const struct sockaddr_storage *address);

#endif
