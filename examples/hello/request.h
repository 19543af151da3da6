/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the head of a request: pure functions on text that a client sent. */
#ifndef HELLO_REQUEST_H
#define HELLO_REQUEST_H

#include "http.h"

/* Reads the request line. False: it is none. ret_minor is the n of "HTTP/1.n". */
bool request_line_read(const char *head, struct http_request *request, int *ret_minor);
/* Reads Content-Length. Returns 0, or the status to refuse the request with. */
int request_body_length(const char *head, size_t *ret_length);
bool request_keeps_alive(const char *head, int minor);
/* Whether the client waits for "100 Continue" before it sends the body. */
bool request_expects(const char *head);

#endif
