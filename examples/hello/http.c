/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server; see http.h.
 *
 * A connection is either reading or writing, never both: the next request of a connection is
 * looked at when the answer before it has left, so that a client that does not read cannot make
 * the server remember its answers.
 */
#include "http.h"
#include "request.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define READ_SIZE (64 << 10)
#define FILLER_SIZE (64 << 10)
#define EVENTS_MAX 64

struct connection {
	struct connection *next, **link;
	int fd;
	struct buffer in, out;
	size_t sent; /* of out */
	uint64_t filler;
	bool close_after; /* the answer on its way is the last */
	bool deaf;	  /* what comes in is thrown away until the peer closes */
	bool continued;	  /* "100 Continue" was sent for the request that is being read */
};

struct http {
	http_handler *handle;
	void *context;
	int epoll, listener;
	bool accepting; /* the listener is in the epoll set */
	struct connection *connections;
	char received[READ_SIZE];
	char filler[FILLER_SIZE];
};

void http_write(struct http_response *response, const void *data, size_t length)
{
	buffer_add(&response->body, data, length);
}

void http_printf(struct http_response *response, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	buffer_vprintf(&response->body, format, arguments);
	va_end(arguments);
}

static const char *status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
		{200, "OK"},
		{201, "Created"},
		{204, "No Content"},
		{400, "Bad Request"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{411, "Length Required"},
		{413, "Content Too Large"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return "Unknown";
}

static void accepting_set(struct http *http, bool accepting)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &http->listener};

	if (http->listener < 0 || http->accepting == accepting)
		return;
	epoll_ctl(http->epoll, accepting ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, http->listener, &event);
	http->accepting = accepting;
}

static void connection_open(struct http *http, int fd)
{
	struct connection *connection = must(calloc(1, sizeof(*connection)));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

	connection->fd = fd;
	connection->link = &http->connections;
	connection->next = http->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	http->connections = connection;
	epoll_ctl(http->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void connection_close(struct http *http, struct connection *connection)
{
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	close(connection->fd);
	buffer_deinit(&connection->in);
	buffer_deinit(&connection->out);
	free(connection);
	accepting_set(http, true);
}

static bool connection_has_output(const struct connection *connection)
{
	return connection->sent < connection->out.length || connection->filler > 0;
}

/* What was sent is taken off the answer first, off the filler behind it then. */
static void connection_note_sent(struct connection *connection, size_t length)
{
	size_t answer = connection->out.length - connection->sent;

	if (length < answer) {
		connection->sent += length;
		return;
	}
	connection->filler -= length - answer;
	connection->out.length = 0;
	connection->sent = 0;
}

/* Sends what the socket takes. False: the connection is broken. */
static bool connection_flush(const struct http *http, struct connection *connection)
{
	while (connection_has_output(connection)) {
		uint64_t filler =
			connection->filler < FILLER_SIZE ? connection->filler : FILLER_SIZE;
		struct iovec parts[] = {
			{connection->out.data + connection->sent,
			 connection->out.length - connection->sent},
			{(char *)http->filler, filler},
		};
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
		ssize_t n = sendmsg(connection->fd, &message, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		connection_note_sent(connection, (size_t)n);
	}
	return true;
}

static void connection_answer(struct connection *connection, struct http_response *response,
			      bool with_body)
{
	buffer_printf(&connection->out,
		      "HTTP/1.1 %d %s\r\nServer: hello\r\nContent-Type: %s\r\n"
		      "Content-Length: %zu\r\nConnection: %s\r\n\r\n",
		      response->status, status_text(response->status),
		      response->type ? response->type : "text/plain",
		      response->body.length + response->filler,
		      connection->close_after ? "close" : "keep-alive");
	if (!with_body)
		return;
	buffer_add(&connection->out, response->body.data, response->body.length);
	connection->filler = response->filler;
}

/* The rest of the request is unknown, so the connection ends once the peer has read this. */
static void connection_refuse(struct connection *connection, int status)
{
	struct http_response response = {.status = status};

	connection->close_after = true;
	connection->deaf = true;
	http_printf(&response, "%d %s\n", status, status_text(status));
	connection_answer(connection, &response, true);
	buffer_deinit(&response.body);
}

static void connection_serve(const struct http *http, struct connection *connection,
			     const struct http_request *request)
{
	struct http_response response = {.status = 200};

	http->handle(http->context, request, &response);
	if (response.hang) {
		connection->deaf = true;
		connection->close_after = false;
	} else {
		connection_answer(connection, &response, strcmp(request->method, "HEAD") != 0);
	}
	buffer_deinit(&response.body);
}

/* Asks a careful client for the body that it has announced. */
static void connection_continue(struct connection *connection, const char *head)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (connection->continued || !request_expects(head))
		return;
	connection->continued = true;
	buffer_add(&connection->out, go_on, sizeof(go_on) - 1);
}

/*
 * Serves or refuses the request whose head ends at head_length, when its body is there too.
 * Returns whether it did.
 */
static bool connection_take_request(const struct http *http, struct connection *connection,
				    const char *head, size_t head_length)
{
	struct http_request request;
	size_t body_length = 0;
	int minor, status;

	if (!request_line_read(head, &request, &minor)) {
		connection_refuse(connection, 400);
		return true;
	}
	status = request_body_length(head, &body_length);
	if (status != 0) {
		connection_refuse(connection, status);
		return true;
	}
	if (connection->in.length - head_length < body_length) {
		connection_continue(connection, head);
		return false;
	}
	connection->close_after = !request_keeps_alive(head, minor);
	connection->continued = false;
	request.body = connection->in.data + head_length;
	request.body_length = body_length;
	connection_serve(http, connection, &request);
	buffer_drop(&connection->in, head_length + body_length);
	return true;
}

/* Looks for one request in what has come in. Returns whether one was answered. */
static bool connection_parse(const struct http *http, struct connection *connection)
{
	size_t length =
		connection->in.length < HTTP_HEAD_MAX ? connection->in.length : HTTP_HEAD_MAX;
	const char *end = length > 0 ? memmem(connection->in.data, length, "\r\n\r\n", 4) : NULL;
	size_t head_length;
	bool answered;
	char *head;

	if (!end && length == HTTP_HEAD_MAX) {
		connection_refuse(connection, 431);
		return true;
	}
	if (!end)
		return false;
	head_length = (size_t)(end - connection->in.data) + 4;
	head = must(strndup(connection->in.data, head_length));
	answered = connection_take_request(http, connection, head, head_length);
	free(head);
	return answered;
}

/* Reads once. False: the peer has closed or is gone. */
static bool connection_read(struct http *http, struct connection *connection)
{
	ssize_t n = recv(connection->fd, http->received, READ_SIZE, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!connection->deaf)
		buffer_add(&connection->in, http->received, (size_t)n);
	return n > 0;
}

/* Answers request after request until one has to wait. False: the connection is at its end. */
static bool connection_advance(const struct http *http, struct connection *connection)
{
	do {
		if (!connection_flush(http, connection))
			return false;
		if (connection_has_output(connection))
			return true;
		if (connection->close_after && !connection->deaf)
			return false;
		if (connection->close_after)
			shutdown(connection->fd, SHUT_WR);
	} while (!connection->deaf && connection_parse(http, connection));
	return connection_flush(http, connection);
}

static void connection_event(struct http *http, struct connection *connection, uint32_t events)
{
	struct epoll_event wanted = {.data.ptr = connection};

	if ((events & (EPOLLHUP | EPOLLERR)) ||
	    ((events & EPOLLIN) && !connection_read(http, connection)) ||
	    !connection_advance(http, connection)) {
		connection_close(http, connection);
		return;
	}
	buffer_rest(&connection->in);
	buffer_rest(&connection->out);
	wanted.events = connection_has_output(connection) ? EPOLLOUT : EPOLLIN;
	epoll_ctl(http->epoll, EPOLL_CTL_MOD, connection->fd, &wanted);
}

/* Without a free descriptor the listener rests until a connection closes. */
static void accept_all(struct http *http)
{
	for (;;) {
		int fd = accept4(http->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && errno == ECONNABORTED)
			continue;
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE)
				accepting_set(http, false);
			return;
		}
		connection_open(http, fd);
	}
}

struct http *http_new(http_handler *handle, void *context)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct http *http;

	if (epoll < 0)
		return NULL;
	http = must(calloc(1, sizeof(*http)));
	http->handle = handle;
	http->context = context;
	http->epoll = epoll;
	http->listener = -1;
	memset(http->filler, '.', sizeof(http->filler));
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	http_unlisten(http);
	for (struct connection *connection = http->connections, *next; connection;
	     connection = next) {
		next = connection->next;
		connection_close(http, connection);
	}
	close(http->epoll);
	free(http);
}

int http_listen(struct http *http, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), failure;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, SOMAXCONN) < 0) {
		failure = -errno;
		close(fd);
		return failure;
	}
	http->listener = fd;
	accepting_set(http, true);
	return 0;
}

void http_unlisten(struct http *http)
{
	if (http->listener < 0)
		return;
	close(http->listener);
	http->listener = -1;
	http->accepting = false;
}

int http_watch(struct http *http, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(http->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void http_poll(struct http *http, int timeout_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(http->epoll, events, EVENTS_MAX, timeout_ms);

	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == &http->listener)
			accept_all(http);
		else if (events[i].data.ptr)
			connection_event(http, events[i].data.ptr, events[i].events);
	}
}

bool http_is_busy(const struct http *http)
{
	for (const struct connection *c = http->connections; c; c = c->next) {
		if (connection_has_output(c))
			return true;
	}
	return false;
}
