/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports; see relay.h. In the forwarder. */
#include "keeper/relay.h"
#include "base/address.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define ACCEPTS_PER_ROUND 64
#define RESUME_AFTER_NS NSEC_PER_SEC

static void watch_listeners(struct relay *relay)
{
	bool accepts = !relay->paused && relay->listens && relay->mode != RELAY_WAIT &&
		       relay->mode != RELAY_DRAIN;

	for (size_t i = 0; i < relay->n_listeners; i++)
		if (loop_change(relay->set.loop, relay->listeners[i].source,
				accepts ? EPOLLIN : 0) < 0)
			relay->paused = true; /* tried again at resume_at */
}

static void pause_accepting(struct relay *relay)
{
	relay->paused = true;
	relay->paused_at = relay->set.count;
	relay->resume_at = clock_boottime_ns() + RESUME_AFTER_NS;
	watch_listeners(relay);
}

/* Failures of one connection, not of accepting. accept(2) hands out its pending error. */
static bool is_passing(int errnum)
{
	static const int passing[] = {EINTR,	 ECONNABORTED, EPROTO,	  EPERM,
				      ENETDOWN,	 ENETUNREACH,  EHOSTDOWN, EHOSTUNREACH,
				      ETIMEDOUT, ENOPROTOOPT,  EOPNOTSUPP};

	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		if (errnum == passing[i])
			return true;
	return false;
}

/* The inner socket comes first: a connection is not taken off the backlog to be dropped. */
static bool has_inner(struct relay *relay)
{
	if (relay->spare < 0)
		relay->spare = dial_socket();
	return relay->spare >= 0;
}

static void take_connection(struct relay *relay, int fd, const struct pair_route *route)
{
	if (relay->mode == RELAY_REFUSE)
		dial_reset(fd);
	else if (pair_start(&relay->set, fd, steal_fd(&relay->spare), route) < 0)
		pause_accepting(relay);
}

/* True when it is worth trying for another one. */
static bool accept_one(struct relay_listener *listener)
{
	struct relay *relay = listener->relay;
	int fd;

	if (!has_inner(relay)) {
		pause_accepting(relay);
		return false;
	}
	fd = accept4(listener->source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		take_connection(relay, fd, &listener->route);
		return !relay->paused;
	}
	if (is_passing(errno))
		return true;
	if (errno != EAGAIN)
		pause_accepting(relay);
	return false;
}

static void on_listener(void *arg, uint32_t events)
{
	struct relay_listener *listener = arg;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_ROUND; i++)
		if (!accept_one(listener))
			break;
}

static bool is_on_loopback(int fd)
{
	struct sockaddr_storage own = {0};
	socklen_t size = sizeof(own);

	return getsockname(fd, (struct sockaddr *)&own, &size) == 0 && address_is_loopback(&own);
}

/*
 * The listening socket hands these options down to what is accepted from it. Keep-alive finds out
 * about clients that vanished without a word.
 */
static int prepare_listener(int fd)
{
	int on = 1;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (is_on_loopback(fd))
		dial_set_local(fd);
	return 0;
}

int relay_add(struct relay *relay, const struct forwarder *config,
	      const struct forwarder_port *port)
{
	size_t i = relay->n_listeners;
	struct relay_listener *listener = &relay->listeners[i];
	struct counts *counts = config->counts ? config->counts : &relay->own_counts;
	int r = i < PLAN_PORTS_MAX ? prepare_listener(port->listener) : -E2BIG;

	if (r < 0)
		return r;
	*listener = (struct relay_listener){
		.relay = relay,
		.route = {.target = {.address = forwarder_address(config, port->flags),
				     .port = port->inside_port},
			  .counts = &counts->ports[i],
			  .proxy = port->flags & PORT_PROXY},
	};
	/* of a forwarder that died */
	counts->ports[i].now = 0;
	r = loop_add(relay->set.loop, port->listener, 0, on_listener, listener, &listener->source);
	if (r < 0)
		return r;
	relay->n_listeners++;
	relay->listens = false;
	return 0;
}

int relay_init(struct relay *relay, struct loop *loop, const struct forwarder *config, char *buffer)
{
	int r = 0;

	*relay = (struct relay){.spare = -1};
	pair_set_init(&relay->set, loop, buffer);
	for (size_t i = 0; i < config->n_ports && r == 0; i++)
		r = relay_add(relay, config, &config->ports[i]);
	if (r < 0)
		relay_deinit(relay);
	return r;
}

void relay_deinit(struct relay *relay)
{
	pair_set_end(&relay->set);
	cleanup_close(&relay->spare);
	while (relay->n_listeners > 0)
		loop_remove(relay->set.loop, relay->listeners[--relay->n_listeners].source);
}

static int start_listening(struct relay *relay)
{
	int r = 0, on = 1;

	for (size_t i = 0; i < relay->n_listeners; i++) {
		int fd = relay->listeners[i].source->fd;

		/* inherited by what is accepted: the port can be taken again at once afterwards */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (listen(fd, SOMAXCONN) < 0 && r == 0)
			r = -errno;
	}
	relay->listens = true;
	return r;
}

int relay_set_mode(struct relay *relay, enum relay_mode mode)
{
	int r = mode == RELAY_JOIN && !relay->listens ? start_listening(relay) : 0;

	if (relay->mode == RELAY_DRAIN)
		return 0;
	relay->mode = mode;
	watch_listeners(relay);
	return r;
}

void relay_drain(struct relay *relay, int64_t idle_ns)
{
	relay_set_mode(relay, RELAY_DRAIN);
	pair_set_drain(&relay->set, idle_ns);
}

void relay_end_connections(struct relay *relay)
{
	pair_set_end(&relay->set);
}

static int64_t resume_accepting(struct relay *relay, int64_t now)
{
	if (!relay->paused)
		return RELAY_NEVER;
	if (relay->set.count >= relay->paused_at && now < relay->resume_at)
		return relay->resume_at;
	relay->paused = false;
	relay->resume_at = now + RESUME_AFTER_NS;
	watch_listeners(relay);
	return relay->paused ? relay->resume_at : RELAY_NEVER;
}

int64_t relay_step(struct relay *relay, int64_t now)
{
	int64_t dial_at = pair_step(&relay->set, now);
	int64_t resume_at = resume_accepting(relay, now);

	return dial_at < resume_at ? dial_at : resume_at;
}
