/* SPDX-License-Identifier: Apache-2.0 */
/* The network of instances as their zones say; see network.h. In commands. */
#include "instance/network.h"
#include "instance/lock.h"
#include "instance/openings.h"
#include "instance/reach.h"
#include "instance/zone_files.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/text.h"
#include "keeper/guards.h"
#include "netns/link.h"
#include "store/zones.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>

#define ZONES_BOUND_NS (20 * NSEC_PER_SEC)
/* How long keepers are waited for: one by its own start, one among many at first, and all. */
#define JOIN_BOUND_MS 10000
#define AT_ONCE_MS 250
#define SETTLE_BOUND_NS (10 * NSEC_PER_SEC)

/* The shared hold of a start is short; whoever waits longer meets a start that hangs. */
static int lock_zones(const struct site *site, int how, struct error *err)
{
	cleanup_fd int fd = openat(site->run, "zones.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	int64_t until = clock_boottime_ns() + ZONES_BOUND_NS;

	if (fd < 0)
		return error_set(err, errno, "cannot open '%s/zones.lock'", site->run_path);
	while (flock(fd, how | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || clock_boottime_ns() > until)
			return error_set(err, errno, "cannot lock '%s/zones.lock'", site->run_path);
		poll(NULL, 0, 2);
	}
	return steal_fd(&fd);
}

int zones_lock(const struct site *site, struct error *err)
{
	return lock_zones(site, LOCK_EX, err);
}

bool network_has_link(const struct network *network)
{
	return zone_has_traffic(&network->zone);
}

void network_deinit(struct network *network)
{
	zone_deinit(&network->zone);
	free(network->files);
	cleanup_close(&network->lock);
	*network = (struct network){.lock = -1};
}

/* A template says what its server needs; what it gets is the zone's business. */
static int check_egress(const struct zone *zone, const char *wanted, struct error *err)
{
	cleanup_free char *has = xasprintf(",%s,", zone->egress), *copy = xstrdup(wanted);
	char *rest = copy, *word;

	if (strcmp(wanted, "none") == 0 || strcmp(zone->egress, wanted) == 0)
		return 0;
	while ((word = strsep(&rest, ","))) {
		cleanup_free char *needle = xasprintf(",%s,", word);

		if (!strstr(has, needle))
			return error_say(err, ERROR_REFUSED,
					 "the template needs egress to '%s', and the zone '%s' has "
					 "'%s': choose another zone with --zone, or change this "
					 "one with 'stint zone set %s --egress ...'",
					 word, zone->name, zone->egress, zone->name);
	}
	return 0;
}

int network_begin(const struct site *site, struct store *store, const struct record *record,
		  const char *wanted_egress, struct network *ret_network, struct error *err)
{
	int r;

	*ret_network = (struct network){.lock = lock_zones(site, LOCK_SH, err)};
	if (ret_network->lock < 0)
		return ret_network->lock;
	r = store_zone_load(store, record->zone, &ret_network->zone, err);
	if (r == 0)
		r = check_egress(&ret_network->zone, wanted_egress, err);
	if (r < 0 || !zone_has_traffic(&ret_network->zone))
		return r;
	ret_network->files = zone_files_path(site, record->zone);
	r = zone_files_join(site, store, &ret_network->zone, record, err);
	/* first what keeps it in bounds, then the link */
	return r < 0 ? r : zones_enforce(site, store, record->zone, err);
}

/* Enough of the keepers listen, whoever has gone: the newest are those that did not, most likely.
 */
static void settle_guards(const struct site *site, struct store *store)
{
	cleanup_fd int guards = openat(site->run, GUARDS_FILE, O_RDWR | O_CLOEXEC);
	cleanup_strv char **ids = NULL;

	if (guards < 0 || !guards_are_missing(guards) ||
	    store_zone_list_linked(store, 2 * GUARDS_MAX, &ids, NULL) < 0)
		return;
	for (char **id = ids; id && *id && guards_are_missing(guards); id++)
		(void)reach_guard(site, *id);
}

void network_leave(const struct site *site, struct store *store, const struct record *record)
{
	/* a name too many in a list is put right by the next who comes or goes */
	(void)zone_files_leave(site, store, record, NULL);
	settle_guards(site, store);
}

static struct netns_link link_of(const struct site *site, const struct zone *zone, const char *id,
				 uint32_t address, const char *address6)
{
	struct netns_link link = {.group = site->interface_group | zone->number,
				  .ipv4.s_addr = htonl(address)};

	netns_link_name(id, link.name);
	if (*address6 && !netns_ipv6_hindrance())
		inet_pton(AF_INET6, address6, &link.ipv6);
	return link;
}

/* A keeper starts the server after the link, and watches the firewall while there is one. */
static int tell_keeper(const struct site *site, const char *id, bool linked, int bound_ms,
		       struct error *err)
{
	struct control_packet packet = {.verb = CONTROL_LINKED, .number = linked};

	return reach_tell_within(site, id, &packet, bound_ms, err);
}

static int check_routes(const struct netns_link *link, struct error *err)
{
	int r = netns_check_route(AF_INET, &link->ipv4, err);

	if (r < 0 || IN6_IS_ADDR_UNSPECIFIED(&link->ipv6))
		return r;
	return netns_check_route(AF_INET6, &link->ipv6, err);
}

static int make_link(const struct site *site, const struct zone *zone,
		     const struct zone_member *member, int bound_ms, struct error *err)
{
	struct netns_link link = link_of(site, zone, member->id, member->address, member->address6);
	cleanup_fd int netns = -1;
	int r = check_routes(&link, err);

	if (r < 0)
		return r;
	netns = reach_open_within(site, member->id, CONTROL_NETWORK, CONTROL_NETWORK_IS, bound_ms,
				  err);
	r = netns < 0 ? netns : netns_link_make(&link, netns, err);
	return r < 0 ? r : tell_keeper(site, member->id, true, bound_ms, err);
}

int network_join(const struct site *site, const struct record *record,
		 const struct network *network, struct error *err)
{
	struct zone_member self = {.address = record->address};

	if (!network_has_link(network))
		return 0;
	memcpy(self.id, record->grant.id, sizeof(self.id));
	memcpy(self.address6, record->address6, sizeof(self.address6));
	return make_link(site, &network->zone, &self, JOIN_BOUND_MS, err);
}

/* The link goes in any case; connections that could not be cut before end without an answer. */
static int take_link(const struct site *site, const char *id, const char *name, int bound_ms,
		     struct error *err)
{
	cleanup_fd int netns =
		reach_open_within(site, id, CONTROL_NETWORK, CONTROL_NETWORK_IS, bound_ms, err);

	if (netns >= 0)
		(void)netns_cut_connections(netns, NULL);
	return netns_link_remove(name, err);
}

/* An instance that ends meanwhile takes its link along. */
static int settle_member(const struct site *site, const struct zone *zone,
			 const struct zone_member *member, int bound_ms, struct error *err)
{
	char name[NETNS_LINK_NAME_SIZE];
	int r;

	netns_link_name(member->id, name);
	if (zone_has_traffic(zone) == netns_link_exists(name))
		return 0;
	if (zone_has_traffic(zone)) {
		r = make_link(site, zone, member, bound_ms, err);
	} else {
		r = take_link(site, member->id, name, bound_ms, err);
		if (r == 0)
			r = tell_keeper(site, member->id, false, bound_ms, err);
	}
	return r < 0 && !instance_is_alive(site, member->id) ? 0 : r;
}

/* What is left of the time for all, and never more for one than that. */
static int bound_of(int64_t until_ns, int each_ms)
{
	int64_t left_ms = (until_ns - clock_boottime_ns()) / NSEC_PER_MSEC;

	return left_ms < 1 ? 1 : left_ms < each_ms ? (int)left_ms : each_ms;
}

static int settle_zone(const struct site *site, struct store *store, const struct zone *zone,
		       int64_t until_ns, int each_ms, struct error *err)
{
	cleanup_free struct zone_member *members = NULL;
	struct error another;
	size_t n = 0;
	int r = zone_has_traffic(zone) ? zone_files_write(site, store, zone, err)
				       : zone_files_refresh(site, store, zone->name, err);

	if (r == 0)
		r = store_zone_members(store, zone->name, &members, &n, err);
	for (size_t i = 0; i < n; i++) {
		int one = settle_member(site, zone, &members[i], bound_of(until_ns, each_ms),
					r < 0 ? &another : err);

		if (r == 0)
			r = one;
	}
	return r;
}

static int settle_zones(const struct site *site, struct store *store, const struct zone *zones,
			size_t n, int64_t until_ns, int each_ms, struct error *err)
{
	struct error another;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		int one = settle_zone(site, store, &zones[i], until_ns, each_ms,
				      r < 0 ? &another : err);

		if (r == 0)
			r = one;
	}
	return r;
}

/*
 * A keeper that does not answer holds up neither the others nor, for longer than the bound, who
 * waits for the zones: it is asked once more when all have been. A link is taken from it at once.
 */
static int settle_patiently(const struct site *site, struct store *store, const struct zone *zones,
			    size_t n, struct error *err)
{
	int64_t until = clock_boottime_ns() + SETTLE_BOUND_NS;
	int r = settle_zones(site, store, zones, n, until, AT_ONCE_MS, err);

	return r < 0 ? settle_zones(site, store, zones, n, until, JOIN_BOUND_MS, err) : 0;
}

static bool has_links(struct store *store)
{
	struct record **records = NULL;
	bool found = false;
	size_t n = 0;

	if (store_list(store, &records, &n, NULL) < 0)
		return true;
	for (size_t i = 0; i < n && !found; i++)
		found = network_link_of(records[i]) != NULL;
	record_list_free(records, n);
	return found;
}

/* Where there is a link there is the firewall: it comes before the first and goes after the last.
 * What it takes away it takes before any instance is asked for anything.
 */
int network_settle(const struct site *site, int lock, const char *careful, struct error *err)
{
	cleanup_store struct store *store = NULL;
	struct zone *zones = NULL;
	bool traffic = false;
	size_t n = 0;
	int r = store_open(site->state_path, &store, err);

	(void)lock;
	if (r == 0)
		r = store_zone_list(store, &zones, &n, err);
	for (size_t i = 0; i < n; i++)
		traffic |= zone_has_traffic(&zones[i]);
	if (r == 0 && traffic)
		r = zones_enforce(site, store, careful, err);
	else if (r == 0 && has_links(store))
		r = zones_close(site, store, err);
	if (r == 0)
		r = settle_patiently(site, store, zones, n, err);
	if (r == 0 && !traffic)
		r = zones_enforce(site, store, careful, err);
	if (r == 0)
		settle_guards(site, store);
	zone_list_free(zones, n);
	return r;
}

static void set_links(struct store *store, bool up)
{
	struct record **records = NULL;
	size_t n = 0;

	if (store_list(store, &records, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		char name[NETNS_LINK_NAME_SIZE];

		netns_link_name(records[i]->grant.id, name);
		(void)netns_link_set_up(name, up, NULL);
	}
	record_list_free(records, n);
}

int network_mend(const struct site *site, struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(site->state_path, &store, err);

	if (r < 0)
		return r;
	r = zones_enforce(site, store, NULL, err);
	set_links(store, r == 0);
	return r;
}

const char *network_link_of(const struct record *record)
{
	static char name[NETNS_LINK_NAME_SIZE];

	netns_link_name(record->grant.id, name);
	return netns_link_exists(name) ? name : NULL;
}
