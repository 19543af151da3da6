/* SPDX-License-Identifier: Apache-2.0 */
/* Naming what stopped a test packet; see obstacle.h. In commands. */
#include "netns/obstacle.h"
#include "netns/link.h"
#include "netns/request.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <string.h>

#define SWITCH_MAX 64
#define NAMES_MAX 4096

static const char *family_word(int nfproto)
{
	switch (nfproto) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_NETDEV:
		return "netdev";
	default:
		return "?";
	}
}

struct address_word {
	char text[INET6_ADDRSTRLEN];
};

static struct address_word address_of(const struct path_probe *probe)
{
	struct address_word word;

	inet_ntop(probe->family, probe->destination, word.text, sizeof(word.text));
	return word;
}

static void stopped(const struct path_way *way, char *by, char *fix, struct path_finding *finding)
{
	struct address_word to = address_of(way->probe);
	bool peer = way->probe->peer;

	finding->end = PATH_STOPPED;
	finding->text = xasprintf("a test packet to %s%s%s %s", peer ? "another instance (" : "",
				  to.text, peer ? ")" : "", by);
	finding->fix = fix;
	free(by);
}

/* The chains of iptables are changed with iptables, which keeps its own view of them. */
static char *iptables_fix(const char *program)
{
	return xasprintf("%s -I FORWARD -i %s+ -j ACCEPT; %s -I FORWARD -o %s+ -j ACCEPT (what "
			 "instances may reach is still decided by stint)",
			 program, NETNS_LINK_PREFIX, program, NETNS_LINK_PREFIX);
}

static bool is_iptables(const struct trace_event *culprit)
{
	return strcmp(culprit->table, "filter") == 0 &&
	       (strcmp(culprit->chain, "FORWARD") == 0 ||
		strncmp(culprit->chain, "DOCKER", strlen("DOCKER")) == 0) &&
	       (culprit->nfproto == NFPROTO_IPV4 || culprit->nfproto == NFPROTO_IPV6);
}

static char *nft_fix(const struct path_way *way)
{
	const struct trace_event *c = &way->culprit;
	cleanup_free char *rule =
		xasprintf("nft insert rule %s %s %s", family_word(c->nfproto), c->table, c->chain);

	/* where it goes is not known yet when it comes in */
	if (way->stage < STAGE_FORWARDED)
		return xasprintf("%s iifname '\"%s*\"' accept", rule, NETNS_LINK_PREFIX);
	return xasprintf("%s iifname '\"%s*\"' accept; %s oifname '\"%s*\"' accept (what instances "
			 "may reach is still decided by stint)",
			 rule, NETNS_LINK_PREFIX, rule, NETNS_LINK_PREFIX);
}

static void name_chain(const struct path_way *way, struct path_finding *finding)
{
	const struct trace_event *c = &way->culprit;
	cleanup_free char *rule = xasprintf("by the rule with handle %" PRIu64, c->rule);
	const char *iptables = c->nfproto == NFPROTO_IPV6 ? "ip6tables" : "iptables";

	stopped(way,
		xasprintf("was dropped by another program's firewall: table %s %s, chain %s, %s",
			  family_word(c->nfproto), c->table, c->chain,
			  c->by_policy ? "by its policy" : rule),
		is_iptables(c) ? iptables_fix(iptables) : nft_fix(way), finding);
}

/* The digit of a switch of an interface; '?' when it is not there. */
static int read_switch(int family, const char *interface, const char *name)
{
	cleanup_free char *path = xasprintf("/proc/sys/net/%s/conf/%s/%s",
					    family == AF_INET ? "ipv4" : "ipv6", interface, name);
	cleanup_free char *value = NULL;

	return file_read(AT_FDCWD, path, SWITCH_MAX, &value, NULL) == 0 ? value[0] : '?';
}

static const char *switch_name(int family)
{
	return family == AF_INET ? "forwarding" : "force_forwarding";
}

/* IPv6 has a switch for the whole host besides, which is as good. */
static bool is_forwarding(int family, const char *interface)
{
	return read_switch(family, interface, switch_name(family)) != '0' ||
	       (family == AF_INET6 && read_switch(family, "all", "forwarding") == '1');
}

static void name_switch(const struct path_way *way, const char *interface,
			struct path_finding *finding)
{
	int family = way->probe->family;

	stopped(way,
		xasprintf("finds forwarding switched off on '%s', which stint had switched on",
			  interface),
		xasprintf("sysctl -w net.%s.conf.%s.%s=1, and keep other programs from switching "
			  "it off",
			  family == AF_INET ? "ipv4" : "ipv6", interface, switch_name(family)),
		finding);
}

/* Where packets for the outside leave; false when nothing is routed there. */
static bool find_uplink(const struct path_probe *probe, char name[NETNS_LINK_NAME_SIZE])
{
	cleanup_nl_socket struct nl_sock *socket = NULL;

	return request_open(-1, &socket, NULL) == 0 &&
	       request_uplink(socket, probe->family, probe->destination, name) == 0;
}

static void name_routing(const struct path_way *way, struct path_finding *finding)
{
	const struct path_probe *probe = way->probe;
	char uplink[NETNS_LINK_NAME_SIZE];

	if (!is_forwarding(probe->family, probe->interface))
		name_switch(way, probe->interface, finding);
	else if (!find_uplink(probe, uplink)) {
		stopped(way, xstrdup("has nowhere to go: the host has no route there"), NULL,
			finding);
		finding->end = PATH_NOWHERE;
	} else
		stopped(way, xstrdup("was not forwarded by the host's routing"),
			xasprintf("look at 'ip rule', 'ip route get %s iif %s' and the sysctl "
				  "rp_filter of '%s'",
				  address_of(probe).text, probe->interface, probe->interface),
			finding);
}

/* Tables of the iptables before nftables, whose rules are not told of. */
static bool has_legacy_filter(int family)
{
	const char *path =
		family == AF_INET ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names";
	cleanup_free char *names = NULL;

	return file_read(AT_FDCWD, path, NAMES_MAX, &names, NULL) == 0 && strstr(names, "filter");
}

static void name_legacy(const struct path_way *way, struct path_finding *finding)
{
	bool v4 = way->probe->family == AF_INET;

	if (!has_legacy_filter(way->probe->family))
		return;
	stopped(way,
		xstrdup("was dropped while it was forwarded, by nothing of nftables: this host "
			"also "
			"has a table 'filter' of the old iptables"),
		iptables_fix(v4 ? "iptables-legacy" : "ip6tables-legacy"), finding);
}

static void look_at_way_back(const struct path_way *way, struct path_finding *finding)
{
	char uplink[NETNS_LINK_NAME_SIZE];

	if (!way->probe->peer && find_uplink(way->probe, uplink) &&
	    !is_forwarding(way->probe->family, uplink))
		name_switch(way, uplink, finding);
	else
		finding->end = PATH_OPEN;
}

/* Nobody may take it for a way that is open. */
static void name_doubt(const struct path_way *way, struct path_finding *finding)
{
	const char *how = "was not seen any more while it was forwarded";

	if (way->lost)
		how = "could not be followed: too many others are";
	else if (way->dropped_by_us)
		how = "was dropped by stint's own firewall";
	else if (way->stage == STAGE_NONE)
		how = "was not seen on its way";
	stopped(way, xstrdup(how), NULL, finding);
	finding->end = PATH_UNKNOWN;
}

static void name_cause(const struct path_way *way, struct path_finding *finding)
{
	if (way->dropped)
		name_chain(way, finding);
	else if (way->stage == STAGE_CAME)
		name_routing(way, finding);
	else if (way->stage == STAGE_FORWARDED)
		name_legacy(way, finding);
	else if (way->stage == STAGE_LEFT)
		look_at_way_back(way, finding);
}

void obstacle_conclude(const struct path_way *way, struct path_finding *ret_finding)
{
	/* what the zone says is none of an obstacle */
	if (!way->lost && !way->dropped_by_us)
		name_cause(way, ret_finding);
	if (ret_finding->end == PATH_UNKNOWN)
		name_doubt(way, ret_finding);
}
