/* SPDX-License-Identifier: Apache-2.0 */
/* The firewall of the zones in the store; see openings.h. In commands. */
#include "instance/openings.h"
#include "instance/zone_files.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "netns/forwarding.h"
#include "store/zones.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/file.h>
#include <syslog.h>

#define DNS_PORT 53

static void add(struct firewall_zone *zone, const struct firewall_opening *opening)
{
	zone->openings = xrealloc(zone->openings, zone->n_openings + 1, sizeof(*zone->openings));
	zone->openings[zone->n_openings++] = *opening;
}

static bool set_address(struct firewall_opening *opening, const struct sockaddr *address)
{
	opening->family = address->sa_family;
	if (address->sa_family == AF_INET)
		memcpy(opening->address, &((const struct sockaddr_in *)address)->sin_addr, 4);
	else if (address->sa_family == AF_INET6)
		memcpy(opening->address, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
	else
		return false;
	opening->prefix = address->sa_family == AF_INET ? 32 : 128;
	return true;
}

static int add_host(struct firewall_zone *zone, const struct egress_destination *d,
		    const char *zone_name, struct error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct firewall_opening opening = {.port = d->port, .protocol = d->protocol};
	struct addrinfo *list;
	int r = getaddrinfo(d->host, NULL, &hints, &list);

	if (r != 0)
		return error_say(
			err, ERROR_FAILED,
			"the host '%s' in the egress of the zone '%s' cannot be resolved: %s",
			d->host, zone_name, gai_strerror(r));
	for (struct addrinfo *one = list; one; one = one->ai_next)
		if (set_address(&opening, one->ai_addr))
			add(zone, &opening);
	freeaddrinfo(list);
	return 0;
}

static int add_destination(struct firewall_zone *zone, const struct egress_destination *d,
			   const char *zone_name, struct error *err)
{
	struct firewall_opening opening = {
		.family = d->family, .prefix = d->prefix, .port = d->port, .protocol = d->protocol};

	if (d->host[0])
		return add_host(zone, d, zone_name, err);
	memcpy(opening.address, d->address, sizeof(opening.address));
	add(zone, &opening);
	return 0;
}

static void add_name_servers(struct firewall_zone *zone, const struct zone *of)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP};
	cleanup_strv char **servers = zone_name_servers(of);

	for (size_t i = 0; servers && servers[i]; i++)
		for (size_t j = 0; j < ARRAY_SIZE(protocols); j++) {
			struct firewall_opening opening = {.port = DNS_PORT,
							   .protocol = protocols[j]};

			opening.family = strchr(servers[i], ':') ? AF_INET6 : AF_INET;
			opening.prefix = opening.family == AF_INET ? 32 : 128;
			if (inet_pton(opening.family, servers[i], opening.address) == 1)
				add(zone, &opening);
		}
}

int zone_translate(const struct site *site, const struct zone *zone, const char *careful,
		   struct firewall_zone *ret_zone, struct error *err)
{
	bool is_careful = careful && strcmp(careful, zone->name) == 0;
	cleanup_free struct egress_destination *list = NULL;
	size_t n = 0;
	int r = egress_parse_list(zone->egress, &list, &n, err);

	*ret_zone = (struct firewall_zone){.group = site->interface_group | zone->number,
					   .peers = zone->peers,
					   .internet = strcmp(zone->egress, "internet") == 0};
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = add_destination(ret_zone, &list[i], zone->name, err);
		if (r < 0 && !is_careful)
			r = 0;
	}
	add_name_servers(ret_zone, zone);
	return r;
}

static int apply(const struct site *site, const struct zone *zones, size_t n, const char *careful,
		 bool keep, struct error *err)
{
	enum firewall_result result = FIREWALL_KEPT;
	const struct address_range *range = &site->config.addresses;
	struct firewall firewall = {
		.table = site->firewall,
		.first_group = site->interface_group,
		.ipv4_first = range->base,
		.ipv4_last = range->base + range->count - 1,
		.prefix6 = site->config.prefix6,
		.zones = xcalloc(n + 1, sizeof(*firewall.zones)),
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (zone_has_traffic(&zones[i]))
			r = zone_translate(site, &zones[i], careful,
					   &firewall.zones[firewall.n_zones++], err);
	/* nothing is forwarded before the firewall is in place, nor after it is gone */
	if (r == 0 && (firewall.n_zones || keep))
		r = firewall_apply(&firewall, site->run, &result, err);
	if (r == 0 && result == FIREWALL_REPAIRED)
		syslog(LOG_WARNING,
		       "the firewall table '%s' had been changed or removed by another program: it "
		       "is put back",
		       site->firewall);
	if (r == 0)
		r = forwarding_settle(&firewall, site->run, err);
	if (r == 0 && !firewall.n_zones && !keep)
		r = firewall_remove(site->firewall, site->run, err);
	for (size_t i = 0; i < firewall.n_zones; i++)
		free(firewall.zones[i].openings);
	free(firewall.zones);
	return r;
}

static int enforce(const struct site *site, struct store *store, const char *careful, bool keep,
		   struct error *err)
{
	cleanup_fd int lock =
		openat(site->run, "firewall.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	struct zone *zones = NULL;
	size_t n = 0;
	int r;

	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return error_set(err, errno, "cannot lock '%s/firewall.lock'", site->run_path);
	r = store_zone_list(store, &zones, &n, err);
	if (r == 0)
		r = apply(site, zones, n, careful, keep, err);
	zone_list_free(zones, n);
	return r;
}

int zones_enforce(const struct site *site, struct store *store, const char *careful,
		  struct error *err)
{
	return enforce(site, store, careful, false, err);
}

int zones_close(const struct site *site, struct store *store, struct error *err)
{
	return enforce(site, store, NULL, true, err);
}
