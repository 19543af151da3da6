/* SPDX-License-Identifier: Apache-2.0 */
/* PROXY protocol, version 2; see proxy.h. In the forwarder. */
#include "keeper/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define SIGNATURE_SIZE 12
#define VERSION_LOCAL 0x20
#define VERSION_PROXY 0x21
#define TCP_OVER_IPV4 0x11
#define TCP_OVER_IPV6 0x21

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void begin(unsigned char *header, unsigned char version, unsigned char family, size_t rest)
{
	memcpy(header, SIGNATURE, SIGNATURE_SIZE);
	header[12] = version;
	header[13] = family;
	header[14] = 0;
	header[15] = (unsigned char)rest;
}

void proxy_local(unsigned char ret_header[PROXY_LOCAL_SIZE])
{
	begin(ret_header, VERSION_LOCAL, 0, 0);
}

/* Source address, destination address, source port, destination port; the number of bytes. */
static int add_addresses(unsigned char *to, const void *from, const void *on, size_t size,
			 const uint16_t ports[2])
{
	memcpy(to, from, size);
	memcpy(to + size, on, size);
	memcpy(to + 2 * size, ports, 2 * sizeof(uint16_t));
	return (int)(2 * size + 2 * sizeof(uint16_t));
}

int proxy_header(int fd, unsigned char ret_header[PROXY_HEADER_MAX])
{
	union address from = {0}, on = {0};
	socklen_t size = sizeof(from), on_size = sizeof(on);
	unsigned char *rest = ret_header + PROXY_LOCAL_SIZE;
	int n;

	if (getpeername(fd, &from.any, &size) < 0 || getsockname(fd, &on.any, &on_size) < 0)
		return -errno;
	if (from.any.sa_family == AF_INET6)
		n = add_addresses(rest, &from.v6.sin6_addr, &on.v6.sin6_addr, 16,
				  (uint16_t[]){from.v6.sin6_port, on.v6.sin6_port});
	else
		n = add_addresses(rest, &from.v4.sin_addr, &on.v4.sin_addr, 4,
				  (uint16_t[]){from.v4.sin_port, on.v4.sin_port});
	begin(ret_header, VERSION_PROXY,
	      from.any.sa_family == AF_INET6 ? TCP_OVER_IPV6 : TCP_OVER_IPV4, (size_t)n);
	return PROXY_LOCAL_SIZE + n;
}
