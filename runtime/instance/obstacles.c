/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the way of a zone; see obstacles.h. In commands. */
#include "instance/obstacles.h"
#include "instance/openings.h"
#include "instance/reach.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "netns/link.h"
#include "netns/path.h"
#include "store/zones.h"

#include <arpa/inet.h>
#include <string.h>

void obstacle_list_deinit(struct obstacle_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->list[i].text);
		free(list->list[i].fix);
	}
	free(list->list);
	strv_free(list->untested);
	*list = (struct obstacle_list){0};
}

/* The same chain is in the way of everything, most often: it is named once. */
static void add(struct obstacle_list *list, struct path_finding *finding)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->list[i].text, finding->text) == 0 ||
		    (list->list[i].fix && finding->fix &&
		     strcmp(list->list[i].fix, finding->fix) == 0))
			return;
	list->list = xrealloc(list->list, list->n + 1, sizeof(*list->list));
	list->list[list->n++] = (struct obstacle){.text = finding->text, .fix = finding->fix};
	*finding = (struct path_finding){0};
}

/*
 * A peer without a route is one that ends or starts; and a host without IPv6 to the internet is
 * nothing that anybody need be told.
 */
static bool is_worth_telling(const struct path_probe *probe, const struct path_finding *finding,
			     const struct firewall_zone *zone)
{
	if (finding->end == PATH_STOPPED)
		return true;
	return finding->end == PATH_NOWHERE && !probe->peer &&
	       !(zone->internet && probe->family == AF_INET6);
}

static int try(const struct path_probe *probe, const struct firewall_zone *zone,
	       struct obstacle_list *list, struct error *err)
{
	struct path_finding finding;
	int r = path_try(probe, &finding, err);

	if (r < 0)
		return r;
	list->tried++;
	if (finding.end == PATH_UNKNOWN && finding.text)
		strv_add(&list->untested, finding.text);
	else if (is_worth_telling(probe, &finding, zone))
		add(list, &finding);
	path_finding_deinit(&finding);
	return 0;
}

/* Some other instance of the zone, as a destination; false when there is none. */
static bool find_peer(struct store *store, const struct record *record, int family,
		      struct path_probe *probe)
{
	struct zone_member peer;
	struct in_addr ipv4;

	if (store_zone_peer(store, record->zone, record->grant.id, &peer, NULL) <= 0)
		return false;
	probe->family = family;
	probe->peer = true;
	probe->port = 0;
	probe->protocol = 0;
	ipv4.s_addr = htonl(peer.address);
	memcpy(probe->destination, &ipv4, sizeof(ipv4));
	return family == AF_INET || inet_pton(family, peer.address6, probe->destination) == 1;
}

static void add_own(struct obstacle_list *list, const char *address)
{
	cleanup_free char *why =
		xasprintf("%s is an address of this host, and closed to instances", address);

	strv_add(&list->untested, why);
}

static int try_zone(const struct firewall_zone *zone, struct store *store,
		    const struct record *record, struct path_probe *probe,
		    struct obstacle_list *list, struct error *err)
{
	static const int families[] = {AF_INET, AF_INET6};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families); i++) {
		if (families[i] == AF_INET6 && (netns_ipv6_hindrance() || !*record->address6))
			continue;
		if (path_destination(zone, families[i], probe))
			r = try(probe, zone, list, err);
		if (*probe->own)
			add_own(list, probe->own);
		if (r == 0 && zone->peers && find_peer(store, record, families[i], probe))
			r = try(probe, zone, list, err);
	}
	return r;
}

static int try_from(const struct site *site, struct store *store, const struct record *record,
		    const struct zone *zone, struct obstacle_list *list, struct error *err)
{
	char interface[NETNS_LINK_NAME_SIZE];
	struct path_probe probe = {.interface = interface, .table = site->firewall};
	struct firewall_zone translated = {0};
	cleanup_fd int netns = -1;
	int r = zone_translate(site, zone, NULL, &translated, err);

	netns_link_name(record->grant.id, interface);
	if (r == 0) {
		netns = reach_open(site, record->grant.id, CONTROL_NETWORK, CONTROL_NETWORK_IS,
				   err);
		r = netns < 0 ? netns : 0;
	}
	probe.netns = netns;
	if (r == 0)
		r = try_zone(&translated, store, record, &probe, list, err);
	free(translated.openings);
	return r;
}

int obstacles_find(const struct site *site, const struct record *record,
		   struct obstacle_list *ret_list, struct error *err)
{
	cleanup_store struct store *store = NULL;
	char interface[NETNS_LINK_NAME_SIZE];
	struct zone zone = {0};
	int r;

	*ret_list = (struct obstacle_list){0};
	netns_link_name(record->grant.id, interface);
	if (!netns_link_exists(interface))
		return 0;
	r = store_open(site->state_path, &store, err);
	if (r == 0)
		r = store_zone_load(store, record->zone, &zone, err);
	if (r == 0)
		r = try_from(site, store, record, &zone, ret_list, err);
	zone_deinit(&zone);
	return r;
}
