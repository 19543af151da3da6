/* SPDX-License-Identifier: Apache-2.0 */
/* Binding published ports; see publish.h. In the command that starts an instance. */
#include "instance/publish.h"
#include "base/address.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG 1024
#define DEFAULT_ADDRESS "127.0.0.1"
#define FIRST_UNPRIVILEGED 1024

static int bad_specification(const char *text, struct error *err)
{
	return error_say(err, ERROR_USAGE,
			 "cannot publish '%s': write HOSTPORT:NAME, ADDRESS:HOSTPORT:NAME or NAME, "
			 "for example 8080:http",
			 text);
}

static int find_port(const struct plan *plan, const char *name, struct publish_wish *wanted,
		     struct error *err)
{
	struct text names = {0};
	cleanup_free char *list = NULL;

	wanted->port = plan_port_find(plan, name);
	if (wanted->port)
		return 0;
	for (size_t i = 0; i < plan->n_ports; i++)
		text_addf(&names, "%s%s", i ? ", " : "", plan->ports[i].name);
	list = text_take(&names);
	return error_say(err, ERROR_USAGE, "template '%s' has no port named '%s'; it has: %s",
			 plan->template_name, name, *list ? list : "none");
}

/* The address in front of the last two fields; brackets are for IPv6 and go. */
static bool take_address(const char *from, size_t length, struct publish_wish *wanted)
{
	if (length > 1 && from[0] == '[' && from[length - 1] == ']') {
		from++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof(wanted->address))
		return false;
	snprintf(wanted->address, sizeof(wanted->address), "%.*s", (int)length, from);
	return true;
}

int publish_parse(const struct plan *plan, const char *text, struct publish_wish *ret_wanted,
		  struct error *err)
{
	struct publish_wish wanted = {.address = DEFAULT_ADDRESS};
	const char *name = strrchr(text, ':');
	cleanup_free char *head = NULL;
	const char *port;
	uint64_t number;

	if (name) {
		head = xasprintf("%.*s", (int)(name - text), text);
		port = strrchr(head, ':');
		if (port && !take_address(head, (size_t)(port - head), &wanted))
			return bad_specification(text, err);
		if (parse_number(port ? port + 1 : head, UINT16_MAX, &number) < 0)
			return bad_specification(text, err);
		wanted.host_port = (uint16_t)number;
	}
	*ret_wanted = wanted;
	return find_port(plan, name ? name + 1 : text, ret_wanted, err);
}

static socklen_t make_address(const struct publish_wish *wanted, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, wanted->address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(wanted->host_port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, wanted->address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(wanted->host_port);
		return sizeof(*v6);
	}
	return 0;
}

static uint16_t bound_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {0};
	socklen_t length = sizeof(address);

	if (getsockname(fd, &address.any, &length) < 0)
		return 0;
	return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port
						       : address.v4.sin_port);
}

static int explain_bind(const struct publish_wish *wanted, int errnum, struct error *err)
{
	switch (errnum) {
	case EADDRINUSE:
		error_say(err, ERROR_FAILED,
			  "port %u on %s is in use; choose another, or leave the number "
			  "out to get a free one",
			  wanted->host_port, wanted->address);
		return error_with_code(err, -EADDRINUSE);
	case EADDRNOTAVAIL:
		return error_say(err, ERROR_FAILED,
				 "%s is no address of this host; 'ip address' lists those it has",
				 wanted->address);
	case EINVAL:
		return error_say(err, ERROR_FAILED,
				 "cannot publish on %s: an address of one link only needs that "
				 "link's name, which is not supported; take another address",
				 wanted->address);
	case EACCES:
		return error_say(err, ERROR_FAILED,
				 "port %u is privileged and may not be bound here; choose one "
				 "from %d on",
				 wanted->host_port, FIRST_UNPRIVILEGED);
	default:
		return error_set(err, errnum, "cannot publish port %u on %s", wanted->host_port,
				 wanted->address);
	}
}

/*
 * SO_REUSEADDR lets a fixed port be taken while old connections of it fade away, which works only
 * if they had it too. While the socket does not listen yet the flag would let others in as well:
 * it is cleared, and the forwarder sets it again when it listens.
 */
static int bind_one(const struct publish_wish *wanted, bool hold, struct error *err)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(wanted, &address);
	cleanup_fd int fd = -1;
	int on = 1, off = 0;

	if (length == 0)
		return error_say(err, ERROR_USAGE, "'%s' is no IP address", wanted->address);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 && errno == EAFNOSUPPORT)
		return error_say(err, ERROR_FAILED, "cannot publish on %s: this host has no IPv6",
				 wanted->address);
	if (fd < 0)
		return error_set(err, errno, "cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, length) < 0)
		return explain_bind(wanted, errno, err);
	if (!hold)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off));
	if (hold && listen(fd, BACKLOG) < 0)
		return explain_bind(wanted, errno, err);
	return steal_fd(&fd);
}

static int publish_one(const struct publish_wish *wanted, bool hold, struct grant *grant,
		       int *ret_fds, struct error *err)
{
	struct published_port *port;
	int fd;

	if (grant->n_ports == PLAN_PORTS_MAX)
		return error_say(err, ERROR_USAGE, "at most %d ports can be published",
				 PLAN_PORTS_MAX);
	fd = bind_one(wanted, hold, err);
	if (fd < 0)
		return fd;
	ret_fds[grant->n_ports] = fd;
	port = &grant->ports[grant->n_ports++];
	*port = (struct published_port){
		.name = xstrdup(wanted->port->name),
		.scheme = xstrdup(wanted->port->scheme),
		.host_port = bound_port(fd),
		.inside_port = wanted->port->number,
	};
	snprintf(port->host_address, sizeof(port->host_address), "%s", wanted->address);
	return 0;
}

/* 1 and the wish of that index, 0 behind the last one. */
static int wish_at(const struct plan *plan, char *const *specifications, size_t i,
		   struct publish_wish *ret_wanted, struct error *err)
{
	int r;

	if (specifications && specifications[i]) {
		r = publish_parse(plan, specifications[i], ret_wanted, err);
		return r < 0 ? r : 1;
	}
	if (specifications || i >= plan->n_ports)
		return 0;
	*ret_wanted = (struct publish_wish){.address = DEFAULT_ADDRESS, .port = &plan->ports[i]};
	return 1;
}

int publish_bind(const struct plan *plan, char *const *specifications, bool hold,
		 struct grant *grant, int *ret_fds, struct error *err)
{
	struct publish_wish wanted;
	int r = 0;

	grant->ports = xcalloc(PLAN_PORTS_MAX, sizeof(*grant->ports));
	grant->n_ports = 0;
	for (size_t i = 0; r == 0; i++) {
		r = wish_at(plan, specifications, i, &wanted, err);
		if (r <= 0)
			return r;
		r = publish_one(&wanted, hold, grant, ret_fds, err);
	}
	return r;
}

bool publish_failed_at(const struct plan *plan, char *const *specifications,
		       const struct grant *grant, struct publish_wish *ret_wanted)
{
	return wish_at(plan, specifications, grant->n_ports, ret_wanted, NULL) > 0;
}

int publish_others(const struct plan *plan, char *const *specifications, bool hold,
		   struct grant *grant, int *fds, struct error *err)
{
	struct publish_wish wanted;
	int n = 0;

	for (size_t i = 0; i < grant->n_ports; i++) {
		int r = wish_at(plan, specifications, i, &wanted, err);
		int fd;

		if (r <= 0)
			return r;
		if (wanted.host_port != 0)
			continue;
		fd = bind_one(&wanted, hold, err);
		if (fd < 0)
			return fd;
		close(fds[i]); /* not before: the kernel would give the same port again */
		fds[i] = fd;
		grant->ports[i].host_port = bound_port(fd);
		n++;
	}
	return n;
}

int publish_check_restricted(const struct plan *plan, char *const *specifications,
			     struct error *err)
{
	for (; specifications && *specifications; specifications++) {
		struct sockaddr_storage address;
		struct publish_wish wish;
		int r = publish_parse(plan, *specifications, &wish, err);

		if (r < 0)
			return r;
		if (wish.host_port && wish.host_port < FIRST_UNPRIVILEGED)
			return error_say(err, ERROR_REFUSED,
					 "port %u is root's: publish on %d or above, or leave the "
					 "number out to get a free one",
					 wish.host_port, FIRST_UNPRIVILEGED);
		/* what is no address at all is said when it is bound */
		if (make_address(&wish, &address) && !address_is_loopback(&address))
			return error_say(err, ERROR_REFUSED,
					 "'%s' can be reached from elsewhere: publish on 127.0.0.1 "
					 "or ::1",
					 wish.address);
	}
	return 0;
}
