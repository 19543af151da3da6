/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/publish: ports are taken before the instance exists, and by nobody else. */
#include "world.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "instance/publish.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct plan_port ports[] = {
	{.name = (char *)"amqp", .scheme = (char *)"tcp", .number = 5672},
	{.name = (char *)"http", .scheme = (char *)"http", .number = 8080},
};

static const struct plan plan = {
	.template_name = (char *)"broker", .ports = ports, .n_ports = ARRAY_SIZE(ports)};

struct published {
	struct grant grant;
	int fds[PLAN_PORTS_MAX];
	int result;
	struct error err;
};

static struct published *publish(char *const *specifications, bool hold)
{
	struct published *p = xcalloc(1, sizeof(*p));

	p->result = publish_bind(&plan, specifications, hold, &p->grant, p->fds, &p->err);
	return p;
}

static struct published *publish_one(const char *specification, bool hold)
{
	char *specifications[] = {(char *)specification, NULL};

	return publish(specifications, hold);
}

static void release(struct published *p)
{
	for (size_t i = 0; i < p->grant.n_ports; i++)
		close(p->fds[i]);
	grant_deinit(&p->grant);
	free(p);
}

static uint16_t bound_port(int fd)
{
	struct sockaddr_in6 address = {0};
	socklen_t size = sizeof(address);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin6_port); /* at the same place in both families */
}

static bool is_listening(int fd)
{
	socklen_t size = sizeof(int);
	int listening = -1;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size), 0);
	return listening;
}

/* A port that nobody had a moment ago. */
static uint16_t free_port(void)
{
	struct published *p = publish_one("http", false);
	uint16_t port = p->grant.ports[0].host_port;

	release(p);
	return port;
}

static void publish_bind_of_all_ports(void **state)
{
	struct published *p = publish(NULL, true);

	(void)state;
	assert_succeeds(p->result, &p->err);
	assert_int_equal(p->grant.n_ports, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct published_port *port = &p->grant.ports[i];

		assert_string_equal(port->name, ports[i].name);
		assert_string_equal(port->scheme, ports[i].scheme);
		assert_string_equal(port->host_address, "127.0.0.1");
		assert_int_equal(port->inside_port, ports[i].number);
		assert_true(port->host_port != 0);
		assert_int_equal(bound_port(p->fds[i]), port->host_port);
		assert_int_equal(fcntl(p->fds[i], F_GETFD), FD_CLOEXEC);
		assert_true(is_listening(p->fds[i]));
	}
	release(p);
}

static void publish_bind_of_no_port(void **state)
{
	char *none[] = {NULL};
	struct published *p = publish(none, true);

	(void)state;
	assert_succeeds(p->result, &p->err);
	assert_int_equal(p->grant.n_ports, 0);
	release(p);
}

static void publish_bind_of_every_form(void **state)
{
	static const struct {
		const char *form, *address; /* %u is a free port, 0 when there is none in it */
		bool fixed;
	} cases[] = {
		{"http", "127.0.0.1", false},	      {"0:http", "127.0.0.1", false},
		{"%u:http", "127.0.0.1", true},	      {"127.0.0.2:%u:http", "127.0.0.2", true},
		{"0.0.0.0:%u:http", "0.0.0.0", true}, {"127.0.0.2:0:http", "127.0.0.2", false},
		{"[::1]:%u:http", "::1", true},	      {"[::1]:0:http", "::1", false},
		{"::1:%u:http", "::1", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint16_t port = free_port();
		char specification[64];
		struct published *p;

		snprintf(specification, sizeof(specification), cases[i].form, port);
		p = publish_one(specification, true);
		assert_succeeds(p->result, &p->err);
		assert_int_equal(p->grant.n_ports, 1);
		assert_string_equal(p->grant.ports[0].host_address, cases[i].address);
		assert_int_equal(p->grant.ports[0].inside_port, 8080);
		if (cases[i].fixed)
			assert_int_equal(p->grant.ports[0].host_port, port);
		assert_int_equal(bound_port(p->fds[0]), p->grant.ports[0].host_port);
		release(p);
	}
}

static void publish_bind_refuses_what_is_no_specification(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{":http", "cannot publish ':http': write HOSTPORT:NAME"},
		{"x:http", "cannot publish 'x:http'"},
		{"-1:http", "cannot publish"},
		{"65536:http", "cannot publish"},
		{"99999999999999999999:http", "cannot publish"},
		{":80:http", "cannot publish"},
		{"[]:80:http", "cannot publish"},
		{"127.0.0.1::http", "cannot publish"},
		{"1234567890123456789012345678901234567890123456:80:http", "cannot publish"},
		{"localhost:80:http", "'localhost' is no IP address"},
		{"[::1:80:http", "'[::1' is no IP address"},
		{"127.0.0.1.1:80:http", "is no IP address"},
		{"", "no port named ''; it has: amqp, http"},
		{"8080:", "no port named ''"},
		{"htp", "template 'broker' has no port named 'htp'; it has: amqp, http"},
		{"8080:htp", "no port named 'htp'"},
		{"http:8080", "cannot publish 'http:8080'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct published *p = publish_one(cases[i].text, true);

		assert_fails(p->result, -EINVAL, &p->err, cases[i].words);
		assert_int_equal(p->err.kind, ERROR_USAGE);
		assert_int_equal(p->grant.n_ports, 0);
		release(p);
	}
}

static void publish_bind_of_a_template_without_ports(void **state)
{
	const struct plan bare = {.template_name = (char *)"bare"};
	char *specifications[] = {(char *)"http", NULL};
	struct grant grant = {0};
	struct error err;
	int fds[PLAN_PORTS_MAX];

	(void)state;
	assert_fails(publish_bind(&bare, specifications, true, &grant, fds, &err), -EINVAL, &err,
		     "it has: none");
	grant_deinit(&grant);
	assert_succeeds(publish_bind(&bare, NULL, true, &grant, fds, &err), &err);
	assert_int_equal(grant.n_ports, 0);
	grant_deinit(&grant);
}

static void publish_bind_of_a_port_in_use(void **state)
{
	(void)state;
	for (int hold = 0; hold < 2; hold++) {
		struct published *first = publish_one("http", true), *second;
		char specification[32], words[64];

		snprintf(specification, sizeof(specification), "%u:amqp",
			 first->grant.ports[0].host_port);
		snprintf(words, sizeof(words), "port %u on 127.0.0.1 is in use",
			 first->grant.ports[0].host_port);
		second = publish_one(specification, hold);
		assert_fails(second->result, -EADDRINUSE, &second->err, words);
		assert_int_equal(second->err.kind, ERROR_FAILED);
		release(second);
		release(first);
	}
}

/* What was bound before the failure stays the caller's to close. */
static void publish_bind_fails_at_a_later_port(void **state)
{
	char *specifications[] = {(char *)"http", (char *)"amqp", (char *)"none", NULL};
	struct published *p = publish(specifications, true);

	(void)state;
	assert_fails(p->result, -EINVAL, &p->err, "'none'");
	assert_int_equal(p->grant.n_ports, 2);
	assert_true(is_listening(p->fds[0]) && is_listening(p->fds[1]));
	release(p);
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

/* Binds, and listens, as any other program would. */
static int take_port(uint16_t port, bool reuse)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (reuse)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1) < 0)
		return -errno;
	return 0;
}

static void publish_bind_with_hold_accepts_early_connections(void **state)
{
	struct published *p = publish_one("http", true);

	(void)state;
	assert_succeeds(p->result, &p->err);
	assert_int_equal(connect_to(p->grant.ports[0].host_port), 0);
	release(p);
}

/* Without hold early connections are refused, but the port is reserved all the same. */
static void publish_bind_without_hold_reserves_the_port(void **state)
{
	struct published *p = publish_one("http", false), *second;
	uint16_t port = p->grant.ports[0].host_port;
	char specification[32];

	(void)state;
	assert_succeeds(p->result, &p->err);
	assert_false(is_listening(p->fds[0]));
	assert_int_equal(connect_to(port), -ECONNREFUSED);
	assert_int_equal(take_port(port, false), -EADDRINUSE);
	assert_int_equal(take_port(port, true), -EADDRINUSE);
	snprintf(specification, sizeof(specification), "%u:http", port);
	for (int hold = 0; hold < 2; hold++) {
		second = publish_one(specification, hold);
		assert_fails(second->result, -EADDRINUSE, &second->err, "is in use");
		release(second);
	}
	assert_int_equal(listen(p->fds[0], 1), 0);
	assert_int_equal(connect_to(port), 0);
	release(p);
}

/* Old connections in TIME_WAIT must not keep the port from the next instance. */
static void publish_bind_again_after_connections(void **state)
{
	struct published *p = publish_one("http", true);
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(p->grant.ports[0].host_port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server;
	char specification[32];

	(void)state;
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	server = accept4(p->fds[0], NULL, NULL, SOCK_CLOEXEC);
	assert_true(server >= 0);
	/* the side that closes first keeps the port for a minute */
	close(server);
	close(client);
	snprintf(specification, sizeof(specification), "%u:http", p->grant.ports[0].host_port);
	release(p);
	p = publish_one(specification, true);
	assert_succeeds(p->result, &p->err);
	release(p);
}

static void publish_bind_of_too_many(void **state)
{
	char *specifications[PLAN_PORTS_MAX + 2] = {NULL};
	struct published *p;

	(void)state;
	for (int i = 0; i <= PLAN_PORTS_MAX; i++)
		specifications[i] = (char *)"http";
	p = publish(specifications, true);
	assert_fails(p->result, -EINVAL, &p->err, "at most 32 ports");
	assert_int_equal(p->grant.n_ports, PLAN_PORTS_MAX);
	release(p);
	specifications[PLAN_PORTS_MAX] = NULL;
	p = publish(specifications, true);
	assert_succeeds(p->result, &p->err);
	release(p);
}

static void publish_others_leaves_what_was_asked_for(void **state)
{
	uint16_t fixed = free_port(), chosen;
	cleanup_free char *asked = xasprintf("%u:amqp", fixed);
	char *specifications[] = {(char *)"http", asked, NULL};
	struct published *p = publish(specifications, true);
	int r;

	(void)state;
	assert_succeeds(p->result, &p->err);
	chosen = p->grant.ports[0].host_port;
	r = publish_others(&plan, specifications, true, &p->grant, p->fds, &p->err);
	assert_int_equal(r, 1);
	assert_int_not_equal(p->grant.ports[0].host_port, chosen);
	assert_int_equal(p->grant.ports[1].host_port, fixed);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(bound_port(p->fds[i]), p->grant.ports[i].host_port);
		assert_true(is_listening(p->fds[i]));
	}
	release(p);
}

static void publish_check_restricted_of_ports_and_addresses(void **state)
{
	static const struct {
		const char *specification, *words; /* words NULL: it is allowed */
	} cases[] = {
		{"http", NULL},
		{"0:http", NULL},
		{"1024:http", NULL},
		{"127.255.255.254:8080:http", NULL},
		{"[::1]:8080:http", NULL},
		{"1023:http", "port 1023 is root's"},
		{"127.0.0.1:80:http", "port 80 is root's"},
		{"0.0.0.0:8080:http", "'0.0.0.0' can be reached from elsewhere"},
		{"10.0.0.1:0:http", "can be reached from elsewhere"},
		{"128.0.0.1:0:http", "can be reached from elsewhere"},
		{"[::]:8080:http", "can be reached from elsewhere"},
		{"[::ffff:127.0.0.1]:8080:http", "can be reached from elsewhere"},
		{"[::ffff:0.0.0.0]:8080:http", "can be reached from elsewhere"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *all[] = {(char *)"amqp", (char *)cases[i].specification, NULL};
		struct error err;
		int r = publish_check_restricted(&plan, all, &err);

		if (cases[i].words) {
			assert_fails(r, -EPERM, &err, cases[i].words);
			assert_int_equal(err.kind, ERROR_REFUSED);
		} else {
			assert_succeeds(r, &err);
		}
	}
	assert_int_equal(publish_check_restricted(&plan, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(publish_bind_of_all_ports),
		with_world(publish_bind_of_no_port),
		with_world(publish_bind_of_every_form),
		with_world(publish_bind_refuses_what_is_no_specification),
		with_world(publish_bind_of_a_template_without_ports),
		with_world(publish_bind_of_a_port_in_use),
		with_world(publish_bind_fails_at_a_later_port),
		with_world(publish_bind_with_hold_accepts_early_connections),
		with_world(publish_bind_without_hold_reserves_the_port),
		with_world(publish_bind_again_after_connections),
		with_world(publish_bind_of_too_many),
		with_world(publish_others_leaves_what_was_asked_for),
		cmocka_unit_test(publish_check_restricted_of_ports_and_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
