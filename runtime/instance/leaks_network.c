/* SPDX-License-Identifier: Apache-2.0 */
/* Leaks of the network, in the network namespace that this command is in; see leaks.h. */
#include "instance/leaks_look.h"
#include "instance/instance.h"
#include "instance/lock.h"
#include "instance/network.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "netns/link.h"
#include "netns/watch.h"
#include "store/zones.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void see_link(const char *name, void *data)
{
	struct leak_look *look = data;
	const char *rest = name + strlen(NETNS_LINK_PREFIX);
	char id[INSTANCE_ID_LENGTH + 1];
	bool ours = strncmp(name, NETNS_LINK_PREFIX, strlen(NETNS_LINK_PREFIX)) == 0 &&
		    leak_id_of(rest, id);

	leak_note(look, "link", ours ? id : LEAK_NOBODYS, name, "%s",
		  ours ? "no sound instance has it"
		       : "not of stint's making, and in its interface group");
}

static void see_file(struct leak_look *look, const char *name, const char *what)
{
	cleanup_free char *path = xasprintf("%s/%s", look->site->run_path, name);

	if (faccessat(look->site->run, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		leak_note(look, "file", LEAK_TRAFFIC, path, "%s; no zone has traffic", what);
}

void leaks_see_network(struct leak_look *look)
{
	const struct site *site = look->site;
	cleanup_free char *table = xasprintf("inet %s", site->firewall);

	netns_link_each(site->interface_group, see_link, look);
	if (netns_watch_finds_table(site->firewall))
		leak_note(look, "table", LEAK_TRAFFIC, table, "of nftables; no zone has traffic");
	see_file(look, "firewall", "what the firewall was made from");
	see_file(look, "forwarding", "forwarding is switched on");
}

static void remove_link(const char *name, void *data)
{
	struct leak_look *look = data;
	const char *id = name + strlen(NETNS_LINK_PREFIX);
	cleanup_record struct record *record = NULL;
	char checked[INSTANCE_ID_LENGTH + 1];

	/* its record is written before a link is made, and its keeper lives while there is one */
	if (leak_id_of(id, checked) && !instance_is_alive(look->site, id) &&
	    instance_load(look->site, id, &record, NULL) == -ENOENT)
		(void)netns_link_remove(name, NULL);
}

static bool has_traffic(const struct site *site)
{
	cleanup_store struct store *store = NULL;
	struct zone *zones = NULL;
	bool traffic = false;
	size_t n = 0;

	if (store_open(site->state_path, &store, NULL) < 0 ||
	    store_zone_list(store, &zones, &n, NULL) < 0)
		return true; /* nothing is taken away on a guess */
	for (size_t i = 0; i < n; i++)
		traffic |= zone_has_traffic(&zones[i]);
	zone_list_free(zones, n);
	return traffic;
}

int leaks_sweep_network(const struct site *site, struct error *err)
{
	struct leak_look look = {.site = site};
	cleanup_fd int lock = -1;

	netns_link_each(site->interface_group, remove_link, &look);
	if (has_traffic(site) || (!netns_watch_finds_table(site->firewall) &&
				  faccessat(site->run, "firewall", F_OK, 0) < 0 &&
				  faccessat(site->run, "forwarding", F_OK, 0) < 0))
		return 0;
	lock = zones_lock(site, err);
	return lock < 0 ? lock : network_settle(site, lock, NULL, err);
}
