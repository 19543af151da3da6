/* SPDX-License-Identifier: Apache-2.0 */
/* netns/path: who is in the way is named, and nobody else. */
#include "net_rig.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "netns/path.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define TABLE "stint-test"

/* One zone with peers and the internet. */
struct stage {
	struct place host, outside, a1, a2;
	struct firewall_zone zone;
};

static void set_stage(const struct world *world, struct stage *stage)
{
	struct firewall firewall = {.table = TABLE,
				    .first_group = NET_GROUP,
				    .ipv4_first = NET_FIRST,
				    .ipv4_last = NET_FIRST + 255,
				    .zones = &stage->zone,
				    .n_zones = 1};
	enum firewall_result result;
	struct error err = {0};

	inet_pton(AF_INET6, NET_PREFIX6, &firewall.prefix6);
	stage->zone =
		(struct firewall_zone){.group = NET_GROUP + 1, .peers = true, .internet = true};
	net_make_world(&stage->host, &stage->outside);
	net_shell("sysctl -qw net.ipv4.conf.up0.forwarding=1");
	if (!netns_ipv6_hindrance())
		net_shell("sysctl -qw net.ipv6.conf.up0.force_forwarding=1");
	net_make_instance(1, 1, &stage->a1);
	net_make_instance(2, 1, &stage->a2);
	must_succeed(firewall_apply(&firewall, world->dir, &result, &err), &err);
}

static void leave_stage(struct stage *stage)
{
	net_end(&stage->a1);
	net_end(&stage->a2);
	net_end(&stage->outside);
	net_end(&stage->host);
}

static struct path_probe probe_of(const struct stage *stage, int family, bool peer, int protocol)
{
	struct path_probe probe = {
		.netns = stage->a1.netns, .interface = stage->a1.link.name, .table = TABLE};

	must(path_destination(&stage->zone, family, &probe));
	probe.protocol = (uint8_t)protocol;
	probe.peer = peer;
	if (peer)
		inet_pton(family, family == AF_INET ? stage->a2.address4 : stage->a2.address6,
			  probe.destination);
	return probe;
}

/* words NULL: nothing is in the way. What to do about it, when it is a command, is done. */
static void look(const struct stage *stage, int family, bool peer, const char *words,
		 const char *fix)
{
	static const int protocols[] = {IPPROTO_UDP, IPPROTO_TCP};

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		struct path_probe probe = probe_of(stage, family, peer, protocols[i]);
		struct path_finding finding;
		struct error err = {0};

		must_succeed(path_try(&probe, &finding, &err), &err);
		must(words ? finding.end == PATH_STOPPED || finding.end == PATH_NOWHERE
			   : finding.end == PATH_OPEN);
		must(!words || strstr(finding.text, words));
		must(!fix || strstr(finding.fix, fix));
		path_finding_deinit(&finding);
	}
}

static void do_as_told(const struct stage *stage, int family)
{
	struct path_probe probe = probe_of(stage, family, true, IPPROTO_UDP);
	struct path_finding finding;
	struct error err = {0};

	must_succeed(path_try(&probe, &finding, &err), &err);
	if (family == AF_INET6 && finding.end == PATH_OPEN)
		return; /* opened for both */
	must(finding.fix != NULL);
	finding.fix[strcspn(finding.fix, "(")] = '\0';
	if (strncmp(finding.fix, "nft ", 4) == 0) {
		net_shell(finding.fix);
		look(stage, family, true, NULL, NULL);
		look(stage, family, false, NULL, NULL);
	}
	path_finding_deinit(&finding);
}

static void look_at_all(const struct stage *stage, int family, const char *words, const char *fix)
{
	look(stage, family, true, words, fix);
	look(stage, family, false, words, fix);
}

static void try_obstacles(const void *arg)
{
	static const struct {
		const char *make, *end;
		const char *words4, *words6; /* NULL: not in the way */
		const char *fix;
	} cases[] = {
		{"true", "true", NULL, NULL, NULL},
		/* as Docker leaves it, with iptables-nft */
		{"nft 'add table ip filter; add chain ip filter FORWARD "
		 "{ type filter hook forward priority filter; policy drop; }'",
		 "nft delete table ip filter",
		 "dropped by another program's firewall: table ip filter, chain FORWARD, by its "
		 "policy",
		 NULL, "iptables -I FORWARD -i st+ -j ACCEPT"},
		{"nft 'add table inet firewalld; add chain inet firewalld drops; add chain inet "
		 "firewalld forward { type filter hook forward priority filter + 10; }; "
		 "add rule inet firewalld forward jump drops; "
		 "add rule inet firewalld drops reject with icmpx admin-prohibited'",
		 "nft delete table inet firewalld",
		 "table inet firewalld, chain drops, by the rule with handle ",
		 "table inet firewalld, chain drops, by the rule with handle ",
		 "nft insert rule inet firewalld drops iifname '\"st*\"' accept"},
		{"nft 'add table ip6 early; add chain ip6 early first "
		 "{ type filter hook prerouting priority raw + 1; policy drop; }'",
		 "nft delete table ip6 early", NULL, "table ip6 early, chain first, by its policy",
		 "nft insert rule ip6 early first iifname"},
		{"nft 'add table ip late; add chain ip late last "
		 "{ type filter hook postrouting priority 300; policy drop; }'",
		 "nft delete table ip late", "table ip late, chain last, by its policy", NULL,
		 NULL},
		/* what drops only what is for the host itself, or others' packets */
		{"nft 'add table inet host; add chain inet host input "
		 "{ type filter hook input priority filter; policy drop; }; "
		 "add chain inet host forward "
		 "{ type filter hook forward priority filter; policy drop; }; "
		 "add rule inet host forward iifname \"st*\" accept'",
		 "nft delete table inet host", NULL, NULL, NULL},
		{"sysctl -qw net.ipv4.conf.all.rp_filter=1", "true", NULL, NULL, NULL},
	};
	struct stage stage;

	set_stage(arg, &stage);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		net_shell(cases[i].make);
		look_at_all(&stage, AF_INET, cases[i].words4,
			    cases[i].words4 ? cases[i].fix : NULL);
		if (!netns_ipv6_hindrance())
			look_at_all(&stage, AF_INET6, cases[i].words6,
				    cases[i].words6 ? cases[i].fix : NULL);
		if (cases[i].words4)
			do_as_told(&stage, AF_INET);
		if (cases[i].words6 && !netns_ipv6_hindrance())
			do_as_told(&stage, AF_INET6);
		net_shell(cases[i].end);
	}
	leave_stage(&stage);
}

static void path_try_names_the_chain_in_the_way(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, try_obstacles, *state);
}

static void try_switches(const void *arg)
{
	cleanup_free char *command = NULL;
	struct stage stage;

	set_stage(arg, &stage);
	net_shell("sysctl -qw net.ipv4.conf.up0.forwarding=0");
	look(&stage, AF_INET, false, "forwarding switched off on 'up0'", "sysctl -w");
	look(&stage, AF_INET, true, NULL, NULL);
	net_shell("sysctl -qw net.ipv4.conf.up0.forwarding=1 && ip route del default");
	look(&stage, AF_INET, false, "no route", NULL);
	command = xasprintf("sysctl -qw net.ipv4.conf.%s.forwarding=0", stage.a1.link.name);
	net_shell(command);
	look(&stage, AF_INET, true, "forwarding switched off on 'st", "sysctl -w");
	leave_stage(&stage);
}

static void path_try_names_the_switch_in_the_way(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, try_switches, *state);
}

static void must_not_know(const struct path_probe *probe, const char *why)
{
	struct path_finding finding;
	struct error err = {0};

	must_succeed(path_try(probe, &finding, &err), &err);
	must(finding.end == PATH_UNKNOWN && !finding.fix);
	must(finding.text && strstr(finding.text, why));
	path_finding_deinit(&finding);
}

/* What the zone does not open, and a table that is not there, are no obstacles. */
static void try_nothing(const void *arg)
{
	struct path_probe probe;
	struct stage stage;

	set_stage(arg, &stage);
	probe = probe_of(&stage, AF_INET, false, IPPROTO_UDP);
	inet_pton(AF_INET, NET_PRIVATE4, probe.destination);
	must_not_know(&probe, "was dropped by stint's own firewall");
	net_shell("nft flush ruleset");
	must_not_know(&probe, "was not seen on its way");
	leave_stage(&stage);
}

static void path_try_says_why_it_does_not_know(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, try_nothing, *state);
}

static void path_destination_is_one_that_the_zone_opens(void **state)
{
	struct firewall_opening openings[] = {
		{.family = AF_INET6,
		 .address = {0xfd, 5},
		 .prefix = 32,
		 .port = 53,
		 .protocol = IPPROTO_UDP},
		{.family = AF_INET, .address = {10, 1, 0, 0}, .prefix = 16},
		{.family = AF_INET, .address = {10, 2, 0, 5}, .prefix = 32},
	};
	struct firewall_zone zone = {.openings = openings, .n_openings = 3};
	struct path_probe probe = {.port = 1};

	(void)state;
	assert_true(path_destination(&zone, AF_INET, &probe));
	assert_memory_equal(probe.destination, ((uint8_t[]){10, 1, 0, 1}), 4);
	assert_int_equal(probe.port, 0);
	assert_true(path_destination(&zone, AF_INET6, &probe));
	assert_int_equal(probe.destination[15], 1);
	assert_int_equal(probe.port, 53);
	zone.n_openings = 1;
	assert_false(path_destination(&zone, AF_INET, &probe));
	openings[0] = (struct firewall_opening){.family = AF_INET};
	assert_true(path_destination(&zone, AF_INET, &probe));
	assert_int_not_equal(probe.destination[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_destination_is_one_that_the_zone_opens),
		with_world(path_try_names_the_chain_in_the_way),
		with_world(path_try_names_the_switch_in_the_way),
		with_world(path_try_says_why_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
