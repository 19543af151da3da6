/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of zones; see zones.h. In commands. */
#include "instance/zones.h"
#include "instance/events.h"
#include "instance/network.h"
#include "instance/openings.h"
#include "instance/zone_files.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "netns/link.h"
#include "store/zones.h"

#include <string.h>

static int check_name(const char *name, struct error *err)
{
	if (!is_valid_name(name) || strlen(name) > ZONE_NAME_MAX)
		return error_say(err, ERROR_USAGE,
				 "'%s' cannot be a zone's name: use at most %d of a-z, 0-9 and '-'",
				 name, ZONE_NAME_MAX);
	return tier_check(name, "the name of the zone", err);
}

static int check_tier(const char *tier, struct error *err)
{
	cleanup_text struct text words = {0};
	int r = tier_check(tier, "the tier", err);

	for (size_t i = 0; r == 0 && zone_tiers[i]; i++) {
		if (strcmp(zone_tiers[i], tier) == 0)
			return 0;
		text_addf(&words, "%s%s", i ? ", " : "", zone_tiers[i]);
	}
	return r < 0 ? r
		     : error_say(err, ERROR_USAGE, "'%s' is no tier; there are %s", tier,
				 words.data);
}

int zone_check(const struct zone *zone, struct error *err)
{
	cleanup_free struct egress_destination *list = NULL;
	size_t n;
	int r = check_name(zone->name, err);

	if (r == 0)
		r = check_tier(zone->tier, err);
	if (r == 0)
		r = egress_parse_list(zone->egress, &list, &n, err);
	return r < 0 ? r : dns_check(zone->dns, err);
}

int zone_check_names(const struct site *site, const struct zone *zone, struct error *err)
{
	struct firewall_zone translated = {0};
	int r = zone_translate(site, zone, zone->name, &translated, err);

	free(translated.openings);
	return r;
}

static void tell(const struct site *site, const char *event, const struct zone *zone)
{
	cleanup_free char *detail =
		xasprintf("%s: tier %s, peers %s, egress %s, dns %s", zone->name, zone->tier,
			  zone->peers ? "allow" : "deny", zone->egress, zone->dns);

	events_add(site, NULL, event, detail);
}

int zone_create(const struct site *site, struct zone *zone, struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = zone_check(zone, err);

	if (r == 0)
		r = store_open(site->state_path, &store, err);
	if (r == 0)
		r = store_zone_add(store, zone, err);
	if (r == 0)
		tell(site, "zone-added", zone);
	return r;
}

int zone_change(const struct site *site, const struct zone *zone, struct error *err)
{
	cleanup_store struct store *store = NULL;
	cleanup_fd int lock = -1;
	int r = zone_check(zone, err);

	if (r < 0)
		return r;
	lock = zones_lock(site, err);
	if (lock < 0)
		return lock;
	r = store_open(site->state_path, &store, err);
	if (r == 0)
		r = store_zone_set(store, zone, err);
	if (r < 0)
		return r;
	tell(site, "zone-changed", zone);
	r = network_settle(site, lock, zone->name, err);
	return r < 0 ? error_prefix(err,
				    "the zone '%s' is changed, but not all of its instances "
				    "could follow",
				    zone->name)
		     : 0;
}

int zone_destroy(const struct site *site, const char *name, struct error *err)
{
	cleanup_store struct store *store = NULL;
	cleanup_fd int lock = zones_lock(site, err);
	int r = lock < 0 ? lock : store_open(site->state_path, &store, err);

	if (r == 0)
		r = store_zone_remove(store, name, err);
	if (r < 0)
		return r;
	events_add(site, NULL, "zone-removed", name);
	zone_files_remove(site, name);
	return network_settle(site, lock, NULL, err);
}

const char *zone_ipv6_hindrance(void)
{
	return netns_ipv6_hindrance();
}
