/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header that tells a server who its client is: PROXY protocol, version 2, binary
 * (haproxy.org/download/2.9/doc/proxy-protocol.txt, section 2.2). In the forwarder.
 */
#ifndef KEEPER_PROXY_H
#define KEEPER_PROXY_H

#include <stddef.h>

#define PROXY_LOCAL_SIZE 16
#define PROXY_HEADER_MAX (PROXY_LOCAL_SIZE + 36)

/*
 * The header for a connection that was accepted, with both of its addresses. Its length, or a
 * negative errno when the client is gone already.
 */
int proxy_header(int fd, unsigned char ret_header[PROXY_HEADER_MAX]);

/* The header of a connection in nobody's name: a probe. PROXY_LOCAL_SIZE bytes. */
void proxy_local(unsigned char ret_header[PROXY_LOCAL_SIZE]);

#endif
