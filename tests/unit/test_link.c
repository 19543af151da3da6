/* SPDX-License-Identifier: Apache-2.0 */
/* netns/link: links between a host, which is a network namespace of the test, and instances. */
#include "world.h"
#include "base/cleanup.h"
#include "netns/inside.h"
#include "netns/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUP 0x73000001
#define FIRST 0x0ad50001U /* 10.213.0.1 */

struct instance {
	struct netns_link link;
	pid_t pid;
	int netns;
};

static void live(const void *arg)
{
	const struct netns_link *link = arg;
	char address6[INET6_ADDRSTRLEN];
	struct error err = {0};

	inet_ntop(AF_INET6, &link->ipv6, address6, sizeof(address6));
	must(unshare(CLONE_NEWNET) == 0);
	must_succeed(netns_loopback_up(ntohl(link->ipv4.s_addr), address6, &err), &err);
	close_range(3, ~0U, 0); /* the network of an earlier one would live on */
	say(STDOUT_FILENO);
	wait_forever(NULL);
}

static struct instance make_instance(unsigned number)
{
	struct instance made = {.link = {.group = GROUP}};
	int pipe[2], out = dup(STDOUT_FILENO);
	char id[16], path[64];

	snprintf(id, sizeof(id), "a%07x", number);
	netns_link_name(id, made.link.name);
	made.link.ipv4.s_addr = htonl(FIRST + number);
	inet_pton(AF_INET6, "fd73:7469:6e74::", &made.link.ipv6);
	made.link.ipv6.s6_addr[15] = (uint8_t)(number + 1);
	must(pipe2(pipe, O_CLOEXEC) == 0);
	dup2(pipe[1], STDOUT_FILENO);
	made.pid = start_child(live, &made.link);
	dup2(out, STDOUT_FILENO);
	hear(pipe[0]);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", made.pid);
	made.netns = open(path, O_RDONLY | O_CLOEXEC);
	must(made.netns >= 0);
	return made;
}

static void end_instance(struct instance *instance)
{
	close(instance->netns);
	kill(instance->pid, SIGKILL);
	wait_status(instance->pid);
}

static void join_network(struct instance *instance)
{
	struct error err = {0};

	must_succeed(netns_link_make(&instance->link, instance->netns, &err), &err);
}

static int go_to(const struct instance *instance)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	must(home >= 0 && setns(instance->netns, CLONE_NEWNET) == 0);
	return home;
}

static void come_home(int home)
{
	must(setns(home, CLONE_NEWNET) == 0);
	close(home);
}

static socklen_t address_of(const struct instance *instance, int family,
			    struct sockaddr_storage *ret_address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;

	memset(ret_address, 0, sizeof(*ret_address));
	ret_address->ss_family = (sa_family_t)family;
	if (family == AF_INET)
		v4->sin_addr = instance->link.ipv4;
	else
		v6->sin6_addr = instance->link.ipv6;
	return family == AF_INET ? sizeof(*v4) : sizeof(*v6);
}

/* A TCP connection from here to the instance; true when it came about. */
static bool can_connect(const struct instance *to, int family)
{
	struct sockaddr_storage address;
	socklen_t size = address_of(to, family, &address);
	int home = go_to(to), listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
	struct timeval bound = {.tv_sec = 2};
	bool connected;

	must(bind(listener, (struct sockaddr *)&address, size) == 0);
	must(listen(listener, 1) == 0);
	must(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
	come_home(home);
	client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound));
	connected = connect(client, (struct sockaddr *)&address, size) == 0;
	close(client);
	close(listener);
	return connected;
}

static bool can_connect_from(const struct instance *from, const struct instance *to, int family)
{
	int home = go_to(from);
	bool connected = can_connect(to, family);

	come_home(home);
	return connected;
}

static void connect_all(const void *arg)
{
	struct instance a = make_instance(1), b = make_instance(2);

	(void)arg;
	join_network(&a);
	join_network(&b);
	must(if_nametoindex(a.link.name) && if_nametoindex(b.link.name));
	must(can_connect_from(&a, &b, AF_INET));
	must(can_connect_from(&b, &a, AF_INET));
	if (!netns_ipv6_hindrance()) {
		must(can_connect_from(&a, &b, AF_INET6));
		must(can_connect_from(&b, &a, AF_INET6));
	}
	end_instance(&a);
	end_instance(&b);
}

static void netns_link_make_joins_two_instances(void **state)
{
	(void)state;
	need_root();
	run_in_child(CLONE_NEWNET, connect_all, NULL);
}

static bool forwards_for(const char *interface)
{
	char path[96], value = '0';
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/forwarding", interface);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && read(fd, &value, 1) == 1);
	close(fd);
	return value == '1';
}

static void look_at_forwarding(const void *arg)
{
	struct instance a = make_instance(1);

	(void)arg;
	join_network(&a);
	must(forwards_for(a.link.name));
	must(!forwards_for("all") && !forwards_for("default") && !forwards_for("lo"));
	end_instance(&a);
}

static void netns_link_make_lets_nothing_else_be_forwarded(void **state)
{
	(void)state;
	need_root();
	run_in_child(CLONE_NEWNET, look_at_forwarding, NULL);
}

/* Routes to ff00::/8, of all tables. */
static int count_group_routes(void)
{
	static const char to_groups[] = "ff000000000000000000000000000000 08 ";
	char line[256];
	FILE *file = fopen("/proc/net/ipv6_route", "re");
	int n = 0;

	must(file != NULL);
	while (fgets(line, sizeof(line), file))
		n += strncmp(line, to_groups, strlen(to_groups)) == 0;
	fclose(file);
	return n;
}

static void look_for_group_routes(const void *arg)
{
	struct instance a = make_instance(1), b = make_instance(2);
	int before = count_group_routes(), home;

	(void)arg;
	join_network(&a);
	join_network(&b);
	must(count_group_routes() == before);
	home = go_to(&a);
	must(count_group_routes() > 0); /* its own list is as long as it is */
	come_home(home);
	end_instance(&a);
	end_instance(&b);
}

/* A kernel that forwards for one interface alone is new enough for this too. */
static void netns_link_make_adds_nothing_to_the_routes_to_groups(void **state)
{
	(void)state;
	need_root();
	if (netns_ipv6_hindrance())
		skip();
	run_in_child(CLONE_NEWNET, look_for_group_routes, NULL);
}

static int count_addresses(const struct instance *instance)
{
	char line[256];
	int home = go_to(instance), n = 0;
	FILE *file = fopen("/proc/net/fib_trie", "re");

	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, "host LOCAL") != NULL;
	if (file)
		fclose(file);
	come_home(home);
	return n;
}

static void take_away(const void *arg)
{
	struct instance a = make_instance(1), b = make_instance(2);
	int alone = count_addresses(&a);
	struct error err = {0};

	(void)arg;
	join_network(&a);
	join_network(&b);
	must_succeed(netns_link_make(&a.link, a.netns, &err), &err); /* anew */
	must(can_connect_from(&b, &a, AF_INET));
	must_succeed(netns_link_remove(a.link.name, &err), &err);
	must_succeed(netns_link_remove(a.link.name, &err), &err);
	must(!netns_link_exists(a.link.name));
	must(!can_connect_from(&b, &a, AF_INET));
	must(count_addresses(&a) == alone); /* its own address stays on "lo" */
	must(can_connect_from(&a, &a, AF_INET));
	end_instance(&a);
	end_instance(&b);
}

static void netns_link_remove_leaves_the_instance_its_address(void **state)
{
	(void)state;
	need_root();
	run_in_child(CLONE_NEWNET, take_away, NULL);
}

static int connection_to(const struct instance *to, int *ret_listener)
{
	struct sockaddr_storage address;
	socklen_t size = address_of(to, AF_INET, &address);
	int home = go_to(to), client;

	*ret_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(bind(*ret_listener, (struct sockaddr *)&address, size) == 0);
	must(listen(*ret_listener, 1) == 0);
	must(getsockname(*ret_listener, (struct sockaddr *)&address, &size) == 0);
	come_home(home);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(connect(client, (struct sockaddr *)&address, size) == 0);
	return client;
}

/* What leads out ends at once; the forwarder's way, from an address to the same, does not. */
static void cut(const void *arg)
{
	struct instance a = make_instance(1), b = make_instance(2);
	int home, out, own, listeners[2];
	struct error err = {0};
	char byte;

	(void)arg;
	join_network(&a);
	join_network(&b);
	home = go_to(&a);
	out = connection_to(&b, &listeners[0]);
	own = connection_to(&a, &listeners[1]);
	come_home(home);
	must_succeed(netns_cut_connections(a.netns, &err), &err);
	must(recv(out, &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNABORTED);
	must(recv(own, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
	must(send(own, "x", 1, MSG_NOSIGNAL) == 1);
	end_instance(&a);
	end_instance(&b);
}

static void netns_cut_connections_of_what_leads_out(void **state)
{
	(void)state;
	need_root();
	run_in_child(CLONE_NEWNET, cut, NULL);
}

static void reuse(const void *arg)
{
	struct instance a = make_instance(1), b = make_instance(2);

	(void)arg;
	join_network(&a);
	b.link.ipv4 = a.link.ipv4;
	b.link.ipv6 = a.link.ipv6;
	end_instance(&a); /* its link goes a little later */
	join_network(&b);
	must(netns_link_exists(b.link.name));
	end_instance(&b);
}

static void netns_link_make_waits_for_the_address_of_an_ended_instance(void **state)
{
	(void)state;
	need_root();
	run_in_child(CLONE_NEWNET, reuse, NULL);
}

static void take_twice(const void *arg)
{
	struct instance a = make_instance(1), b = make_instance(2);
	struct error err = {0};

	(void)arg;
	join_network(&a);
	b.link.ipv4 = a.link.ipv4;
	must_fail(netns_link_make(&b.link, b.netns, &err), &err, "this host has a route to ");
	must(err.code == -EEXIST);
	must(strstr(err.text, a.link.name) && strstr(err.text, "another STINT_ROOT"));
	must(strstr(err.text, "choose another network for 'addresses' in"));
	must(!netns_link_exists(b.link.name) && netns_link_exists(a.link.name));
	end_instance(&a);
	end_instance(&b);
}

static void netns_link_make_refuses_an_address_in_use(void **state)
{
	(void)state;
	need_root();
	run_in_child(CLONE_NEWNET, take_twice, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(netns_link_make_joins_two_instances),
		cmocka_unit_test(netns_link_make_lets_nothing_else_be_forwarded),
		cmocka_unit_test(netns_link_make_adds_nothing_to_the_routes_to_groups),
		cmocka_unit_test(netns_link_remove_leaves_the_instance_its_address),
		cmocka_unit_test(netns_cut_connections_of_what_leads_out),
		cmocka_unit_test(netns_link_make_waits_for_the_address_of_an_ended_instance),
		cmocka_unit_test(netns_link_make_refuses_an_address_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
