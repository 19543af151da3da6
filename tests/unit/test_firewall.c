/* SPDX-License-Identifier: Apache-2.0 */
/* netns/firewall: what reaches what, as docs/network.md says, and keeping the table. */
#include "net_rig.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "plan/zone.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#define TABLE "stint-test"

/* Zone 1 has a1 and a2 and is changed by the tests; zone 2 has b1. */
struct stage {
	struct place host, outside, a1, a2, b1;
	struct firewall firewall;
	struct firewall_zone zones[2];
	struct firewall_opening openings[16];
	int state;
};

static void set_zone(struct stage *stage, bool peers, const char *egress)
{
	cleanup_free struct egress_destination *list = NULL;
	struct error err = {0};
	size_t n = 0;

	must_succeed(egress_parse_list(egress, &list, &n, &err), &err);
	must(n <= ARRAY_SIZE(stage->openings));
	for (size_t i = 0; i < n; i++) {
		stage->openings[i] = (struct firewall_opening){.family = list[i].family,
							       .prefix = list[i].prefix,
							       .port = list[i].port,
							       .protocol = list[i].protocol};
		memcpy(stage->openings[i].address, list[i].address, sizeof(list[i].address));
	}
	stage->zones[0] = (struct firewall_zone){.group = NET_GROUP + 1,
						 .peers = peers,
						 .internet = strcmp(egress, "internet") == 0,
						 .openings = stage->openings,
						 .n_openings = n};
}

static enum firewall_result apply(struct stage *stage)
{
	enum firewall_result result;
	struct error err = {0};

	must_succeed(firewall_apply(&stage->firewall, stage->state, &result, &err), &err);
	return result;
}

static void set_forwarding(void)
{
	net_shell("sysctl -qw net.ipv4.conf.up0.forwarding=1");
	if (!netns_ipv6_hindrance())
		net_shell("sysctl -qw net.ipv6.conf.up0.force_forwarding=1");
}

static void set_stage(const struct world *world, struct stage *stage)
{
	*stage = (struct stage){
		.firewall = {.table = TABLE,
			     .first_group = NET_GROUP,
			     .ipv4_first = NET_FIRST,
			     .ipv4_last = NET_FIRST + 255,
			     .zones = stage->zones,
			     .n_zones = 2},
		.state = world->dir,
	};
	inet_pton(AF_INET6, NET_PREFIX6, &stage->firewall.prefix6);
	stage->zones[1] =
		(struct firewall_zone){.group = NET_GROUP + 2, .peers = true, .internet = true};
	set_zone(stage, false, "none");
	net_make_world(&stage->host, &stage->outside);
	set_forwarding();
	net_make_instance(1, 1, &stage->a1);
	net_make_instance(2, 1, &stage->a2);
	net_make_instance(3, 2, &stage->b1);
}

static void leave_stage(struct stage *stage)
{
	struct place *places[] = {&stage->a1, &stage->a2, &stage->b1, &stage->outside,
				  &stage->host};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		net_end(places[i]);
}

struct target {
	const char *name, *address;
	const struct place *at;
};

static const char *answer_word(enum answer answer)
{
	return answer == REACHED ? "reached" : answer == DENIED ? "denied" : "silent";
}

static bool has_word(const char *words, const char *target, const char *protocol)
{
	cleanup_free char *all = xasprintf(" %s ", words), *one = xasprintf(" %s ", target);
	cleanup_free char *by = xasprintf(" %s:%s ", target, protocol);

	return strstr(all, one) || strstr(all, by);
}

/* Everything from a1; exactly what is in reached gets there, the rest is denied at once. */
static void look(const struct stage *stage, const char *when, const char *reached)
{
	const struct target targets[] = {
		{"peer4", stage->a2.address4, &stage->a2},
		{"peer6", stage->a2.address6, &stage->a2},
		{"zone4", stage->b1.address4, &stage->b1},
		{"zone6", stage->b1.address6, &stage->b1},
		{"host4", NET_HOST4, &stage->host},
		{"host6", NET_HOST6, &stage->host},
		{"other4", NET_OTHER4, &stage->host},
		{"other6", NET_OTHER6, &stage->host},
		{"absent4", NET_ABSENT4, &stage->outside},
		{"absent6", NET_ABSENT6, &stage->outside},
		{"public4", NET_PUBLIC4, &stage->outside},
		{"public6", NET_PUBLIC6, &stage->outside},
		{"private4", NET_PRIVATE4, &stage->outside},
		{"private6", NET_PRIVATE6, &stage->outside},
		{"metadata4", NET_METADATA4, &stage->outside},
	};
	static const struct {
		const char *name;
		int number;
	} protocols[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"icmp", IPPROTO_ICMP}};
	bool right = true;

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		for (size_t j = 0; j < ARRAY_SIZE(protocols); j++) {
			const struct target *t = &targets[i];
			bool v6 = strchr(t->address, ':') != NULL;
			enum answer is =
				net_reach(&stage->a1, t->at, t->address, protocols[j].number, NULL);
			enum answer wanted = has_word(reached, t->name, protocols[j].name) &&
							     !(v6 && netns_ipv6_hindrance())
						     ? REACHED
						     : DENIED;

			if (is != wanted)
				fprintf(stderr, "%s: %s over %s is %s, not %s\n", when, t->name,
					protocols[j].name, answer_word(is), answer_word(wanted));
			right &= is == wanted;
		}
	must(right);
}

static const struct {
	bool peers;
	const char *egress, *reached;
} policies[] = {
	{false, "none", ""},
	{true, "none", "peer4 peer6"},
	{false, "internet", "public4 public6"},
	{true, "internet", "peer4 peer6 public4 public6"},
	{false, "172.16.5.5:7000,[fd00:5::5]:7000/udp", "private4:tcp private6:udp"},
	{false, "172.16.5.5:7000/udp,172.16.5.5:7001,[fd00:5::/32]:7000",
	 "private4:udp private6:tcp"},
	{false, "172.16.0.0/12,fd00:5::/32,172.16.5.5", "private4 private6"},
	{false, "172.16.0.0/12:7000,172.16.5.5:7000,172.16.5.4", "private4:tcp"},
	{true, "169.254.169.254", "peer4 peer6 metadata4"},
	/* an egress to everywhere opens no instance and not the host */
	{false, "0.0.0.0/0,::/0", "public4 public6 private4 private6 metadata4"},
	{false, "10.0.0.0/8,fd00::/8", "private6"},
	{false, "10.213.0.2,10.213.0.3:7000,192.0.2.1,[fd00:99::1]:7000", ""},
};

static void try_policies(const void *arg)
{
	struct stage stage;

	set_stage(arg, &stage);
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		cleanup_free char *after = xasprintf("%s, after a flush", policies[i].egress);

		set_zone(&stage, policies[i].peers, policies[i].egress);
		must(apply(&stage) == (i ? FIREWALL_CHANGED : FIREWALL_MADE));
		look(&stage, policies[i].egress, policies[i].reached);
		net_shell("nft flush ruleset");
		must(apply(&stage) == FIREWALL_REPAIRED);
		look(&stage, after, policies[i].reached);
	}
	leave_stage(&stage);
}

static void firewall_opens_what_the_zone_says_and_no_more(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, try_policies, *state);
}

/* Nobody begins with an instance, neither the outside that has a route there nor the host. */
static void try_inwards(const void *arg)
{
	struct stage stage;

	set_stage(arg, &stage);
	set_zone(&stage, true, "0.0.0.0/0,::/0");
	apply(&stage);
	net_run(&stage.outside, "ip route add 10.213.0.0/24 via 192.0.2.1 && "
				"ip -6 route add " NET_PREFIX6 "/96 via " NET_HOST6);
	must(net_reach(&stage.a1, &stage.outside, NET_PUBLIC4, IPPROTO_TCP, NULL) == REACHED);
	for (int i = 0; i < 3; i++) {
		static const int protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
		const struct place *from[] = {&stage.outside, &stage.host};

		for (size_t j = 0; j < ARRAY_SIZE(from); j++) {
			must(net_reach(from[j], &stage.a1, stage.a1.address4, protocols[i], NULL) ==
			     DENIED);
			must(netns_ipv6_hindrance() ||
			     net_reach(from[j], &stage.a1, stage.a1.address6, protocols[i], NULL) ==
				     DENIED);
		}
	}
	leave_stage(&stage);
}

static void firewall_lets_nobody_in_from_outside(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, try_inwards, *state);
}

/* The source of another instance, of nobody, and of the host. */
static void try_spoofing(const void *arg)
{
	static const char *const sources[] = {"10.213.0.3",	   "203.0.113.9", NET_HOST4,
					      "fd73:7469:6e74::3", "2001:db8::9", NET_HOST6};
	static const int protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	struct stage stage;

	set_stage(arg, &stage);
	set_zone(&stage, true, "0.0.0.0/0,::/0");
	apply(&stage);
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		bool v6 = strchr(sources[i], ':') != NULL;
		const char *to = v6 ? NET_PUBLIC6 : NET_PUBLIC4;
		const char *peer = v6 ? stage.a2.address6 : stage.a2.address4;
		cleanup_free char *command = xasprintf("ip addr add %s/%d dev lo %s", sources[i],
						       v6 ? 128 : 32, v6 ? "nodad" : "");

		if (v6 && netns_ipv6_hindrance())
			continue; /* the link carries none */
		net_run(&stage.a1, command);
		for (size_t j = 0; j < ARRAY_SIZE(protocols); j++) {
			must(net_reach(&stage.a1, &stage.outside, to, protocols[j], sources[i]) ==
			     SILENT);
			must(net_reach(&stage.a1, &stage.a2, peer, protocols[j], sources[i]) ==
			     SILENT);
		}
	}
	must(net_reach(&stage.a1, &stage.outside, NET_PUBLIC4, IPPROTO_TCP, stage.a1.address4) ==
	     REACHED);
	leave_stage(&stage);
}

static void firewall_drops_what_has_another_source(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, try_spoofing, *state);
}

/* A router advertisement, as any router on the link would send it. */
static void advertise(const struct place *from)
{
	struct nd_router_advert message = {.nd_ra_type = ND_ROUTER_ADVERT,
					   .nd_ra_router_lifetime = htons(1800)};
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};
	const int hops = 255;
	int home, fd;

	net_run(from, "ip -6 addr add fe80::1234/64 dev eth0 nodad");
	home = net_go_to(from);
	fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	inet_pton(AF_INET6, "ff02::1", &to.sin6_addr);
	to.sin6_scope_id = if_nametoindex("eth0");
	must(fd >= 0 && setsockopt(fd, SOL_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) == 0);
	must(sendto(fd, &message, sizeof(message), 0, (struct sockaddr *)&to, sizeof(to)) > 0);
	close(fd);
	net_come_home(home);
}

static void try_advertising(const void *arg)
{
	cleanup_free char *routes = NULL, *command = NULL;
	struct stage stage;

	set_stage(arg, &stage);
	set_zone(&stage, true, "internet");
	apply(&stage);
	/* on the worst of hosts, where nothing else would be in the way */
	command = xasprintf("sysctl -qw net.ipv6.conf.%s.accept_ra=2 && "
			    "ip -6 addr add fe80::5/64 dev %s nodad",
			    stage.a1.link.name, stage.a1.link.name);
	net_shell(command);
	advertise(&stage.a1);
	/* what is sent later arrives later */
	must(net_reach(&stage.a1, &stage.host, NET_HOST6, IPPROTO_TCP, NULL) == DENIED);
	routes = net_read("ip -6 route show default");
	must(strstr(routes, "dev st") == NULL);
	leave_stage(&stage);
}

static void firewall_believes_no_router_inside(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, try_advertising, *state);
}

/* Requests of many who are not there, for an address of the host. */
static void ask(const struct place *from)
{
	struct {
		struct ethhdr ethernet;
		struct ether_arp arp;
	} packet = {
		.ethernet = {.h_dest = {255, 255, 255, 255, 255, 255}, .h_proto = htons(ETH_P_ARP)},
		.arp = {.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
				   .ar_pro = htons(ETH_P_IP),
				   .ar_hln = 6,
				   .ar_pln = 4,
				   .ar_op = htons(ARPOP_REQUEST)},
			.arp_sha = {2, 0, 0, 0, 0, 1},
			.arp_spa = {10, 77, 0, 0}},
	};
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP)};
	int home = net_go_to(from), fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	to.sll_ifindex = (int)if_nametoindex("eth0");
	inet_pton(AF_INET, NET_HOST4, packet.arp.arp_tpa);
	for (int i = 1; i < 100; i++) {
		packet.arp.arp_spa[3] = (uint8_t)i;
		must(sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)) >
		     0);
	}
	close(fd);
	net_come_home(home);
}

static void try_asking(const void *arg)
{
	cleanup_free char *neighbours = NULL;
	struct stage stage;

	set_stage(arg, &stage);
	apply(&stage);
	ask(&stage.a1);
	/* what is sent later arrives later */
	must(net_reach(&stage.a1, &stage.host, NET_HOST4, IPPROTO_TCP, NULL) == DENIED);
	neighbours = net_read("ip neigh show");
	must(strstr(neighbours, "10.77.0.") == NULL);
	leave_stage(&stage);
}

static void a_link_lets_nobody_fill_the_table_of_neighbours(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, try_asking, *state);
}

static int connect_to(const struct place *from, const char *address)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(NET_PORT)};
	int home = net_go_to(from), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, address, &to.sin_addr);
	must(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	net_come_home(home);
	return fd;
}

/* True once the connection is reset; false when what was sent has been taken. */
static bool is_cut(int fd, int listener)
{
	struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.events = POLLIN}};
	int far = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char byte;

	must(far >= 0 && send(fd, "x", 1, MSG_NOSIGNAL) == 1);
	polled[1].fd = far;
	must(poll(polled, 2, 5000) > 0);
	if (polled[1].revents & POLLIN)
		must(recv(far, &byte, 1, 0) == 1);
	else
		must(recv(fd, &byte, 1, 0) < 0 && errno == ECONNRESET);
	close(far);
	return !(polled[1].revents & POLLIN);
}

static void try_cutting(const void *arg)
{
	int out, peer, stays;
	struct stage stage;

	set_stage(arg, &stage);
	set_zone(&stage, true, NET_PRIVATE4 ":7000," NET_METADATA4);
	apply(&stage);
	peer = connect_to(&stage.a1, stage.a2.address4);
	out = connect_to(&stage.a1, NET_PRIVATE4);
	set_zone(&stage, false, NET_PRIVATE4 ":7001," NET_METADATA4);
	apply(&stage);
	must(is_cut(peer, stage.a2.tcp));
	must(is_cut(out, stage.outside.tcp));
	stays = connect_to(&stage.a1, NET_METADATA4);
	set_zone(&stage, false, NET_METADATA4 ":7000");
	apply(&stage);
	must(!is_cut(stays, stage.outside.tcp));
	close(peer);
	close(out);
	close(stays);
	leave_stage(&stage);
}

static void firewall_apply_cuts_what_is_not_allowed_any_more(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, try_cutting, *state);
}

/* Whatever an instance sends, the outside never sees its address. */
static void try_hiding(const void *arg)
{
	static const struct tcphdr strange = {
		.source = 0x1234, .dest = 0x581b, .doff = 5, .fin = 1, .syn = 1, .rst = 1};
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct stage stage;
	uint8_t packet[128];
	int home, raw, ears;

	set_stage(arg, &stage);
	set_zone(&stage, false, "internet");
	apply(&stage);
	home = net_go_to(&stage.outside);
	ears = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	net_come_home(home);
	home = net_go_to(&stage.a1);
	raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);
	net_come_home(home);
	inet_pton(AF_INET, NET_PUBLIC4, &to.sin_addr);
	must(sendto(raw, &strange, sizeof(strange), 0, (struct sockaddr *)&to, sizeof(to)) > 0);
	must(net_reach(&stage.a1, &stage.outside, NET_PUBLIC4, IPPROTO_TCP, NULL) == REACHED);
	while (recv(ears, packet, sizeof(packet), 0) > 20)
		must(memcmp(packet + 12, &stage.a1.link.ipv4, 4) != 0);
	close(raw);
	close(ears);
	leave_stage(&stage);
}

static void firewall_hides_the_addresses_of_instances(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, try_hiding, *state);
}

static char *list_tables(void)
{
	return net_read("nft -s list ruleset");
}

/* What others do to the table, and what they do beside it. */
static const char *const damages[] = {
	"nft flush ruleset",
	"nft flush table inet " TABLE,
	"nft flush chain inet " TABLE " spoofed",
	"nft delete table inet " TABLE,
	"nft add element inet " TABLE " peers '{ 1930571777 . 1930571778 }'",
	"nft delete element inet " TABLE " closed4 '{ 10.0.0.0/8 }'",
	"nft insert rule inet " TABLE " forwarded accept",
	"nft add chain inet " TABLE " forwarded '{ policy drop; }'",
	"nft add set inet " TABLE " more '{ type ipv4_addr; }'",
	"nft add table inet " TABLE " '{ flags dormant; }'",
};

static void damage(const void *arg)
{
	cleanup_free char *before = NULL;
	struct stage stage;

	set_stage(arg, &stage);
	set_zone(&stage, true, "172.16.0.0/12,[fd00:5::/32]:7000/udp");
	must(apply(&stage) == FIREWALL_MADE);
	must(apply(&stage) == FIREWALL_KEPT);
	before = list_tables();
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		cleanup_free char *after = NULL;

		net_shell(damages[i]);
		must(apply(&stage) == FIREWALL_REPAIRED);
		must(apply(&stage) == FIREWALL_KEPT);
		after = list_tables();
		must(strcmp(before, after) == 0);
	}
	net_shell("nft add table ip other");
	must(apply(&stage) == FIREWALL_KEPT);
	set_zone(&stage, false, "internet");
	must(apply(&stage) == FIREWALL_CHANGED);
	leave_stage(&stage);
}

static void firewall_apply_repairs_every_damage(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, damage, *state);
}

static void remove_twice(const void *arg)
{
	cleanup_free char *before = NULL, *after = NULL;
	struct error err = {0};
	struct stage stage;

	set_stage(arg, &stage);
	net_shell("nft add table inet other && nft add chain inet other input "
		  "'{ type filter hook input priority filter; policy accept; }' && "
		  "nft add rule inet other input tcp dport 9999 drop");
	before = list_tables();
	must_succeed(firewall_remove(TABLE, stage.state, &err), &err);
	for (int i = 0; i < 2; i++) {
		apply(&stage);
		must_succeed(firewall_remove(TABLE, stage.state, &err), &err);
		must_succeed(firewall_remove(TABLE, stage.state, &err), &err);
	}
	apply(&stage);
	net_shell("nft delete table inet " TABLE);
	must_succeed(firewall_remove(TABLE, stage.state, &err), &err);
	after = list_tables();
	must(strcmp(before, after) == 0);
	leave_stage(&stage);
}

static void firewall_remove_leaves_other_tables_as_they_are(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, remove_twice, *state);
}

static void apply_without_names(const void *arg)
{
	struct stage stage;

	must(mount("/dev/null", "/etc/protocols", NULL, MS_BIND, NULL) == 0);
	set_stage(arg, &stage);
	set_zone(&stage, false, "10.0.0.0/8:443,10.0.0.0/8:53/udp");
	apply(&stage);
	leave_stage(&stage);
}

/* A small host has no list of protocols. */
static void firewall_apply_without_names_of_protocols(void **state)
{
	need_root();
	if (access("/etc/protocols", F_OK) < 0)
		skip();
	run_in_child(CLONE_NEWNET | CLONE_NEWNS, apply_without_names, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(firewall_opens_what_the_zone_says_and_no_more),
		with_world(firewall_lets_nobody_in_from_outside),
		with_world(firewall_drops_what_has_another_source),
		with_world(firewall_believes_no_router_inside),
		with_world(a_link_lets_nobody_fill_the_table_of_neighbours),
		with_world(firewall_apply_cuts_what_is_not_allowed_any_more),
		with_world(firewall_hides_the_addresses_of_instances),
		with_world(firewall_apply_repairs_every_damage),
		with_world(firewall_apply_without_names_of_protocols),
		with_world(firewall_remove_leaves_other_tables_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
