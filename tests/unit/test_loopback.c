/* SPDX-License-Identifier: Apache-2.0 */
/* netns/loopback: the whole network of an instance in a zone without traffic. */
#include "world.h"
#include "base/cleanup.h"
#include "netns/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ADDRESS 0x0ad50007U /* 10.213.0.7 */
#define ADDRESS6 "fd73:7469:6e74::7"
#define EVERYWHERE 0xffffffffU

struct seen {
	int interfaces, up, loopback, own, other;
};

static struct seen look(void)
{
	struct seen seen = {0};
	struct ifaddrs *list;

	must(getifaddrs(&list) == 0);
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		const struct sockaddr_in *address = (struct sockaddr_in *)i->ifa_addr;
		const struct sockaddr_in *mask = (struct sockaddr_in *)i->ifa_netmask;

		seen.interfaces += i->ifa_addr->sa_family == AF_PACKET;
		seen.up += i->ifa_addr->sa_family == AF_PACKET && i->ifa_flags & IFF_UP;
		if (i->ifa_addr->sa_family != AF_INET)
			continue;
		must(strcmp(i->ifa_name, "lo") == 0);
		if (ntohl(address->sin_addr.s_addr) == INADDR_LOOPBACK)
			seen.loopback++;
		else if (ntohl(address->sin_addr.s_addr) == ADDRESS &&
			 mask->sin_addr.s_addr == EVERYWHERE)
			seen.own++;
		else
			seen.other++;
	}
	freeifaddrs(list);
	return seen;
}

static void must_connect(uint32_t address)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(to);

	must(bind(listener, (struct sockaddr *)&to, sizeof(to)) == 0);
	must(listen(listener, 1) == 0);
	must(getsockname(listener, (struct sockaddr *)&to, &size) == 0);
	must(connect(client, (struct sockaddr *)&to, sizeof(to)) == 0);
	close(client);
	close(listener);
}

static void bring_up(const void *arg)
{
	struct seen seen = look();
	struct error err = {0};

	(void)arg;
	must(seen.up == 0 && seen.loopback == 0 && seen.own == 0);
	must_succeed(netns_loopback_up(ADDRESS, ADDRESS6, &err), &err);
	seen = look();
	must(seen.up == 1 && seen.loopback == 1 && seen.own == 1 && seen.other == 0);
	must_connect(ADDRESS);
	must_connect(INADDR_LOOPBACK);
}

static void netns_loopback_up_gives_lo_the_address(void **state)
{
	(void)state;
	need_root();
	run_in_child(CLONE_NEWNET, bring_up, NULL);
}

static void reach_out(const void *arg)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct error err = {0};

	(void)arg;
	must_succeed(netns_loopback_up(ADDRESS, ADDRESS6, &err), &err);
	to.sin_addr.s_addr = htonl(ADDRESS + 1);
	must(connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno == ENETUNREACH);
}

/* A prefix would make neighbours of the loopback interface answer for other instances. */
static void netns_loopback_up_reaches_nobody_else(void **state)
{
	(void)state;
	need_root();
	run_in_child(CLONE_NEWNET, reach_out, NULL);
}

static void bring_up_twice(const void *arg)
{
	struct error err = {0};

	(void)arg;
	must_succeed(netns_loopback_up(ADDRESS, ADDRESS6, &err), &err);
	must_fail(netns_loopback_up(ADDRESS, ADDRESS6, &err), &err,
		  "cannot add the instance's address");
	must(err.code == -EEXIST);
	must(look().own == 1);
}

static void netns_loopback_up_twice_says_so(void **state)
{
	(void)state;
	need_root();
	run_in_child(CLONE_NEWNET, bring_up_twice, NULL);
}

static void bring_up_without_capability(const void *arg)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};
	struct error err = {0};

	(void)arg;
	must(syscall(SYS_capset, &header, none) == 0);
	must_fail(netns_loopback_up(ADDRESS, ADDRESS6, &err), &err, "cannot bring 'lo' up");
	must(err.code == -EPERM);
}

static void netns_loopback_up_without_capability(void **state)
{
	(void)state;
	need_root();
	run_in_child(CLONE_NEWNET, bring_up_without_capability, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(netns_loopback_up_gives_lo_the_address),
		cmocka_unit_test(netns_loopback_up_reaches_nobody_else),
		cmocka_unit_test(netns_loopback_up_twice_says_so),
		cmocka_unit_test(netns_loopback_up_without_capability),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
