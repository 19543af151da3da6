/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firewall's table as text; see firewall.h, and docs/network.md for what reaches what. The
 * rules hold no state of their own: every packet of a connection is judged by what the zone may do
 * now, its answers by the same sets in reverse, so a change cuts what it forbids.
 */
#include "netns/firewall.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

#define WORD(number) WORD_OF(number)
#define WORD_OF(number) #number
#define TRACED_HOPS WORD(FIREWALL_TRACED_HOPS)
#define TRACED_DSCP WORD(FIREWALL_TRACED_DSCP)

/*
 * Not on the internet, or not at its other end: an egress to the internet is none to these. One
 * cloud has its metadata at an address that looks public.
 */
static const char closed4[] =
	"0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 168.63.129.16, 169.254.0.0/16, "
	"172.16.0.0/12, "
	"192.0.0.0/24, 192.0.2.0/24, 192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, "
	"198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/3";
/* Global unicast is 2000::/3; of that, what carries IPv4 addresses or serves documentation. */
static const char closed6[] = "::/3, 2001::/32, 2001:db8::/32, 2002::/16, 3fff::/20, 4000::/2, "
			      "8000::/1";

/*
 * Protocols have numbers here (1 and 58 are ICMP, 6 is TCP): their names are in a file that a small
 * host does not have.
 */
static const char rules[] =
	"	chain spoofed {\n"
	"		type filter hook prerouting priority raw - 5; policy accept;\n"
	"		iifgroup @OURS@ jump from_instance_only\n"
	"	}\n"
	"	chain from_instance_only {\n"
	"		ip ttl " TRACED_HOPS " ip dscp " TRACED_DSCP " meta nftrace set 1\n"
	"		ip6 hoplimit " TRACED_HOPS " ip6 dscp " TRACED_DSCP " meta nftrace set 1\n"
	"		fib saddr . iif oif missing drop\n"
	"		ip6 saddr fe80::/10 drop\n"
	"		icmpv6 type { nd-router-solicit, nd-router-advert, nd-redirect } drop\n"
	"		icmp type { redirect, router-advertisement } drop\n"
	"	}\n"
	"	chain to_host {\n"
	"		type filter hook input priority filter - 5; policy accept;\n"
	"		iifgroup @OURS@ goto denied\n"
	"	}\n"
	"	chain from_host {\n"
	"		type filter hook output priority filter - 5; policy accept;\n"
	"		oifgroup @OURS@ ct state related accept\n"
	"		oifgroup @OURS@ goto denied\n"
	"	}\n"
	"	chain forwarded {\n"
	"		type filter hook forward priority filter - 5; policy accept;\n"
	"		iifgroup @OURS@ oifgroup @OURS@ goto between\n"
	"		iifgroup @OURS@ goto outwards\n"
	"		oifgroup @OURS@ goto inwards\n"
	"	}\n"
	"	chain between {\n"
	"		iifgroup . oifgroup @peers accept\n"
	"		goto denied\n"
	"	}\n"
	"	chain outwards {\n"
	"		ct state { invalid, untracked } drop\n" /* would leave with its own address
								 */
	"		ip daddr @instances4 goto denied\n"
	"		ip6 daddr @instances6 goto denied\n"
	"		iifgroup @internet ip daddr != @closed4 accept\n"
	"		iifgroup @internet ip6 daddr != @closed6 accept\n"
	"		iifgroup . ip daddr @networks4 accept\n"
	"		iifgroup . ip6 daddr @networks6 accept\n"
	"		iifgroup . ip daddr . meta l4proto . th dport @services4 accept\n"
	"		iifgroup . ip6 daddr . meta l4proto . th dport @services6 accept\n"
	"		goto denied\n"
	"	}\n"
	"	chain inwards {\n"
	"		meta l4proto { 1, 58 } ct state related accept\n"
	"		ct state != established goto denied\n"
	"		ct direction original goto denied\n"
	"		oifgroup @internet ip saddr != @closed4 accept\n"
	"		oifgroup @internet ip6 saddr != @closed6 accept\n"
	"		oifgroup . ip saddr @networks4 accept\n"
	"		oifgroup . ip6 saddr @networks6 accept\n"
	"		oifgroup . ip saddr . meta l4proto . th sport @services4 accept\n"
	"		oifgroup . ip6 saddr . meta l4proto . th sport @services6 accept\n"
	"		goto denied\n"
	"	}\n"
	"	chain denied {\n"
	"		meta l4proto 6 reject with tcp reset\n"
	"		reject with icmpx admin-prohibited\n"
	"	}\n"
	"	chain translated {\n"
	"		type nat hook postrouting priority srcnat - 5; policy accept;\n"
	"		ip saddr @instances4 oifgroup != @OURS@ masquerade\n"
	"		ip6 saddr @instances6 oifgroup != @OURS@ masquerade\n"
	"	}\n";

/* An element that lies in another one of the same port would be refused beside it. */
static bool lies_in(const struct firewall_opening *a, const struct firewall_opening *b)
{
	if (a->family != b->family || a->port != b->port || a->protocol != b->protocol ||
	    a->prefix < b->prefix)
		return false;
	for (unsigned bit = 0; bit < b->prefix; bit++)
		if ((a->address[bit / 8] ^ b->address[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

static bool is_needless(const struct firewall_zone *zone, size_t i)
{
	const struct firewall_opening *o = zone->openings;

	for (size_t j = 0; j < zone->n_openings; j++)
		if (j != i && lies_in(&o[i], &o[j]) && (!lies_in(&o[j], &o[i]) || j < i))
			return true;
	return false;
}

static void add_opening(struct text *elements, const struct firewall_zone *zone, size_t i)
{
	const struct firewall_opening *o = &zone->openings[i];
	char address[INET6_ADDRSTRLEN];

	inet_ntop(o->family, o->address, address, sizeof(address));
	text_addf(elements, "%s%u . %s/%u", elements->length ? ", " : "", zone->group, address,
		  o->prefix);
	if (o->port)
		/* numbers: the names are in a file that a small host does not have */
		text_addf(elements, " . %u . %u", o->protocol, o->port);
}

static void add_set(struct text *text, const char *name, const char *type, bool intervals,
		    const char *elements)
{
	text_addf(text, "\tset %s {\n\t\ttype %s\n", name, type);
	if (intervals)
		text_add(text, "\t\tflags interval\n");
	if (elements && *elements)
		text_addf(text, "\t\telements = { %s }\n", elements);
	text_add(text, "\t}\n");
}

static void add_openings(struct text *text, const struct firewall *firewall, int family,
			 bool services)
{
	cleanup_text struct text elements = {0};
	cleanup_free char *name =
		xasprintf("%s%d", services ? "services" : "networks", family == AF_INET ? 4 : 6);
	cleanup_free char *type =
		xasprintf("devgroup . %s%s", family == AF_INET ? "ipv4_addr" : "ipv6_addr",
			  services ? " . inet_proto . inet_service" : "");

	for (size_t i = 0; i < firewall->n_zones; i++) {
		const struct firewall_zone *zone = &firewall->zones[i];

		for (size_t j = 0; j < zone->n_openings; j++)
			if (zone->openings[j].family == family &&
			    (zone->openings[j].port != 0) == services && !is_needless(zone, j))
				add_opening(&elements, zone, j);
	}
	add_set(text, name, type, true, elements.data);
}

static void add_zones(struct text *text, const struct firewall *firewall)
{
	cleanup_text struct text peers = {0}, internet = {0};

	for (size_t i = 0; i < firewall->n_zones; i++) {
		const struct firewall_zone *zone = &firewall->zones[i];

		if (zone->peers)
			text_addf(&peers, "%s%u . %u", peers.length ? ", " : "", zone->group,
				  zone->group);
		if (zone->internet)
			text_addf(&internet, "%s%u", internet.length ? ", " : "", zone->group);
	}
	add_set(text, "peers", "devgroup . devgroup", false, peers.data);
	add_set(text, "internet", "devgroup", false, internet.data);
}

static void add_instances(struct text *text, const struct firewall *firewall)
{
	struct in_addr first = {.s_addr = htonl(firewall->ipv4_first)};
	struct in_addr last = {.s_addr = htonl(firewall->ipv4_last)};
	char address[2][INET_ADDRSTRLEN], address6[INET6_ADDRSTRLEN];
	cleanup_free char *range = NULL, *range6 = NULL;

	inet_ntop(AF_INET, &first, address[0], sizeof(address[0]));
	inet_ntop(AF_INET, &last, address[1], sizeof(address[1]));
	inet_ntop(AF_INET6, &firewall->prefix6, address6, sizeof(address6));
	range = xasprintf("%s-%s", address[0], address[1]);
	range6 = IN6_IS_ADDR_UNSPECIFIED(&firewall->prefix6) ? NULL : xasprintf("%s/96", address6);
	add_set(text, "instances4", "ipv4_addr", true, range);
	add_set(text, "instances6", "ipv6_addr", true, range6);
}

static void add_rules(struct text *text, const struct firewall *firewall)
{
	cleanup_free char *ours = xasprintf("%u-%u", firewall->first_group,
					    firewall->first_group + FIREWALL_GROUPS - 1);

	for (const char *at = rules, *mark; *at; at = mark) {
		mark = strstr(at, "@OURS@");
		if (!mark) {
			text_add(text, at);
			return;
		}
		text_add_bytes(text, at, (size_t)(mark - at));
		text_add(text, ours);
		mark += strlen("@OURS@");
	}
}

char *firewall_text(const struct firewall *firewall)
{
	struct text text = {0};

	text_addf(&text, "table inet %s {\n", firewall->table);
	add_zones(&text, firewall);
	add_instances(&text, firewall);
	add_set(&text, "closed4", "ipv4_addr", true, closed4);
	add_set(&text, "closed6", "ipv6_addr", true, closed6);
	for (int services = 0; services < 2; services++) {
		add_openings(&text, firewall, AF_INET, services);
		add_openings(&text, firewall, AF_INET6, services);
	}
	add_rules(&text, firewall);
	text_add(&text, "}\n");
	return text_take(&text);
}
