/* SPDX-License-Identifier: Apache-2.0 */
/* stint zone: the network segments of this host, and what their instances may reach. */
#include "cli/action.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "base/cleanup.h"
#include "instance/zone_files.h"
#include "instance/zones.h"
#include "store/zones.h"

#include <stdio.h>
#include <string.h>

struct request {
	const struct invocation *invocation;
	struct site site;
	struct store *store;
};

static const char *peers_word(const struct zone *zone)
{
	return zone->peers ? "allow" : "deny";
}

static json_t *json_zone(const struct zone *zone, const struct zone_member *members, size_t n)
{
	json_t *names = json_array(), *object;

	for (size_t i = 0; i < n; i++)
		json_push(names, json_string(members[i].name));
	object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "zone", zone->name, "tier", zone->tier,
			   "peers", peers_word(zone), "egress", zone->egress, "dns", zone->dns,
			   "instances", names);
	return object;
}

static int list_json(struct request *request, const struct zone *zones, size_t n, struct error *err)
{
	json_t *list = json_array();
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		cleanup_free struct zone_member *members = NULL;
		size_t n_members = 0;

		r = store_zone_members(request->store, zones[i].name, &members, &n_members, err);
		json_push(list, json_zone(&zones[i], members, n_members));
	}
	if (r < 0) {
		json_decref(list);
		return r;
	}
	return json_print(list);
}

static int list_table(struct request *request, const struct zone *zones, size_t n,
		      struct error *err)
{
	static const char *const heads[] = {"ZONE", "TIER", "INSTANCES", "PEERS", "EGRESS"};
	struct table table = {.columns = ARRAY_SIZE(heads)};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (size_t i = 0; r == 0 && i < n; i++) {
		cleanup_free struct zone_member *members = NULL;
		size_t n_members = 0;

		r = store_zone_members(request->store, zones[i].name, &members, &n_members, err);
		table_add(&table, zones[i].name);
		table_add(&table, zones[i].tier);
		table_addf(&table, "%zu", n_members);
		table_add(&table, peers_word(&zones[i]));
		table_add(&table, zones[i].egress);
	}
	table_print(&table);
	return r;
}

static int list_zones(struct request *request, struct error *err)
{
	struct zone *zones;
	size_t n;
	int r = store_zone_list(request->store, &zones, &n, err);

	if (r < 0)
		return r;
	if (request->invocation->options.json)
		r = list_json(request, zones, n, err);
	else
		r = list_table(request, zones, n, err);
	zone_list_free(zones, n);
	return r;
}

static void print_servers(const struct zone *zone)
{
	cleanup_strv char **servers = zone_name_servers(zone);

	bool named = strcmp(zone->dns, "host") == 0;

	printf("%-10s%s", "dns", zone->dns);
	for (size_t i = 0; named && servers && servers[i]; i++)
		printf("%s%s", i ? ", " : ": ", servers[i]);
	puts(zone_has_traffic(zone) && !servers ? " (none that instances can reach)" : "");
}

static void print_zone(const struct zone *zone, const struct zone_member *members, size_t n)
{
	printf("%-10s%s\n%-10s%s\n%-10s%s\n%-10s%s\n", "zone", zone->name, "tier", zone->tier,
	       "peers", peers_word(zone), "egress", zone->egress);
	print_servers(zone);
	printf("%-10s", "instances");
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i ? ", " : "", members[i].name);
	puts(n ? "" : "none");
}

static int show_zone(struct request *request, struct error *err)
{
	cleanup_free struct zone_member *members = NULL;
	struct zone zone = {0};
	size_t n = 0;
	int r = store_zone_load(request->store, request->invocation->args[1], &zone, err);

	if (r == 0)
		r = store_zone_members(request->store, zone.name, &members, &n, err);
	if (r == 0 && request->invocation->options.json)
		json_print(json_zone(&zone, members, n));
	else if (r == 0)
		print_zone(&zone, members, n);
	zone_deinit(&zone);
	return r;
}

/* Puts what the command line says in place of what the zone has. */
static int apply_options(const struct options *options, struct zone *zone, struct error *err)
{
	const struct {
		const char *given;
		char **field;
	} texts[] = {
		{options->tier, &zone->tier},
		{options->egress, &zone->egress},
		{options->dns, &zone->dns},
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!texts[i].given)
			continue;
		free(*texts[i].field);
		*texts[i].field = xstrdup(texts[i].given);
	}
	if (!options->peers)
		return 0;
	zone->peers = strcmp(options->peers, "allow") == 0;
	if (!zone->peers && strcmp(options->peers, "deny") != 0)
		return error_say(err, ERROR_USAGE, "--peers: '%s' is neither allow nor deny",
				 options->peers);
	return 0;
}

static void tell_hindrance(const struct zone *zone)
{
	const char *hindrance = zone_ipv6_hindrance();

	if (hindrance && zone_has_traffic(zone))
		fprintf(stderr, "stint: links of zone '%s' carry IPv4 only: %s\n", zone->name,
			hindrance);
}

/* What there is to say of an addition or a change, whose result it returns. Ends the zone. */
static int tell_change(const struct request *request, struct zone *zone, int r, struct error *err)
{
	cleanup_free struct zone_member *members = NULL;
	size_t n = 0;

	if (r == 0 && request->invocation->options.json) {
		r = store_zone_members(request->store, zone->name, &members, &n, err);
		if (r == 0)
			json_print(json_zone(zone, members, n));
	}
	if (r == 0)
		tell_hindrance(zone);
	zone_deinit(zone);
	return r;
}

/* The name may come to be known before anything starts there, so it is no reason to refuse. */
static void tell_unresolved(const struct site *site, const struct zone *zone)
{
	struct error why = {0};

	if (zone_check_names(site, zone, &why) < 0)
		fprintf(stderr,
			"stint: note: %s; until it can be, no instance starts in that zone\n",
			why.text);
}

static int add_zone(struct request *request, struct error *err)
{
	struct zone zone = {.name = xstrdup(request->invocation->args[1]),
			    .tier = xstrdup("sandbox"),
			    .egress = xstrdup("none"),
			    .dns = xstrdup("host")};
	int r = apply_options(&request->invocation->options, &zone, err);

	if (r == 0)
		r = zone_create(&request->site, &zone, err);
	if (r == 0)
		tell_unresolved(&request->site, &zone);
	return tell_change(request, &zone, r, err);
}

static int set_zone(struct request *request, struct error *err)
{
	const struct options *o = &request->invocation->options;
	struct zone zone = {0};
	int r;

	if (!o->tier && !o->peers && !o->egress && !o->dns)
		return error_say(err, ERROR_USAGE,
				 "usage: stint zone set ZONE with one or more of --tier, --peers, "
				 "--egress and --dns");
	r = store_zone_load(request->store, request->invocation->args[1], &zone, err);

	if (r == 0)
		r = apply_options(&request->invocation->options, &zone, err);
	if (r == 0)
		r = zone_change(&request->site, &zone, err);
	return tell_change(request, &zone, r, err);
}

static int remove_zone(struct request *request, struct error *err)
{
	return zone_destroy(&request->site, request->invocation->args[1], err);
}

static const struct {
	struct action about;
	int (*act)(struct request *request, struct error *err);
} actions[] = {
	{{"ls", "", 1, 1, false}, list_zones},	    {{"show", " ZONE", 2, 2, false}, show_zone},
	{{"add", " ZONE", 2, 2, true}, add_zone},   {{"set", " ZONE", 2, 2, true}, set_zone},
	{{"rm", " ZONE", 2, 2, true}, remove_zone},
};

static int act(struct request *request, struct error *err)
{
	size_t i = 0;
	int r = ACTION_CHOOSE(request->invocation, actions, &i, err);

	return r < 0 ? r : actions[i].act(request, err);
}

static int run_zone(const struct invocation *invocation)
{
	struct request request = {.invocation = invocation, .site = {.state = -1, .run = -1}};
	struct error err = {0};
	int status = 0;

	if (place_open(&request.site, &err) < 0 ||
	    store_open(request.site.state_path, &request.store, &err) < 0 ||
	    act(&request, &err) < 0)
		status = report(&err);
	store_close(request.store);
	site_close(&request.site);
	return status;
}

const struct command zone_command = {
	.name = "zone",
	.usage = "ls | show ZONE | add ZONE [OPTION...] | set ZONE [OPTION...] | rm ZONE",
	.options = "tier peers egress dns json",
	.summary = "list and change zones, the network segments of instances",
	.description =
		"Instances of different zones never reach one another, nor the host. add and set "
		"say what a zone's instances may reach: one another (--peers), and what is outside "
		"of this host (--egress). What set changes holds for running instances at once, "
		"and "
		"connections that are not allowed any more are cut.",
	.min_args = 1,
	.max_args = 2,
	.run = run_zone,
};
