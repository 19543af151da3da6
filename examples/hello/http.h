/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP/1.1 server on one epoll set: one process, many connections, keep-alive and
 * pipelining, request bodies with a Content-Length. Handlers run to completion and fill a
 * response; nothing blocks. Needs the C library only.
 */
#ifndef HELLO_HTTP_H
#define HELLO_HTTP_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX (16 << 10)
#define HTTP_BODY_MAX (16 << 20)

struct http_request {
	char method[16];
	char target[2048]; /* as sent; the '?' is replaced by NUL */
	const char *query; /* behind the '?', "" when there is none */
	const char *body;
	size_t body_length;
};

struct http_response {
	int status;
	const char *type; /* NULL: text/plain */
	struct buffer body;
	uint64_t filler; /* so many bytes of no meaning follow the body */
	bool hang;	 /* nothing is ever sent */
};

typedef void http_handler(void *context, const struct http_request *request,
			  struct http_response *response);

void http_write(struct http_response *response, const void *data, size_t length);
void http_printf(struct http_response *response, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

struct http;

/* A server without a socket yet. NULL and errno when the kernel refuses. */
struct http *http_new(http_handler *handle, void *context);
/* Closes every connection. NULL is fine. */
void http_free(struct http *http);
/* Listens on every IPv4 address. Returns 0 or a negative errno. */
int http_listen(struct http *http, uint16_t port);
/* Accepts no more connections; those that are open stay. */
void http_unlisten(struct http *http);
/* Makes http_poll return as soon as fd is readable. Returns 0 or a negative errno. */
int http_watch(struct http *http, int fd);
/* Serves what is there to serve, waiting at most timeout_ms for it (-1: for ever). */
void http_poll(struct http *http, int timeout_ms);
/* Whether some answer has not been sent to its end. */
bool http_is_busy(const struct http *http);

#endif
