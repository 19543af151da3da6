/* SPDX-License-Identifier: Apache-2.0 */
/* stint install ls and show: installs, their generations, and who is on them. */
#include "cli/install.h"
#include "base/cleanup.h"
#include "install/live.h"
#include "store/taints.h"

#include <stdio.h>
#include <string.h>

/* Of an install, all that is shown. */
struct shown {
	struct install install;
	struct generation *generations;
	size_t n;
	uint32_t on_live, tainted; /* instances */
	bool hashed;		   /* what is in the live files is known */
};

json_t *json_generation(const struct generation *generation)
{
	char created[64];

	format_rfc3339(generation->created_ns / NSEC_PER_SEC, created, sizeof(created));
	return json_pack("{s:I, s:s, s:s, s:I, s:I, s:I}", "generation",
			 (json_int_t)generation->number, "backend", generation->backend, "created",
			 created, "files", (json_int_t)generation->files, "bytes",
			 (json_int_t)generation->bytes, "instances",
			 (json_int_t)generation->instances);
}

static void shown_deinit(struct shown *shown)
{
	generation_list_free(shown->generations, shown->n);
	install_deinit(&shown->install);
	*shown = (struct shown){0};
}

/* Of an install that was loaded. */
static int load_rest(const struct install_request *request, struct store *store,
		     struct shown *shown, struct error *err)
{
	const char *name = shown->install.name;
	int r = store_generation_list(store, name, &shown->generations, &shown->n, err);

	shown->hashed = live_is_hashed(request->site.state_path, name);
	return r < 0 ? r : store_live_count(store, name, &shown->on_live, &shown->tainted, err);
}

static json_t *json_install(const struct shown *shown)
{
	const struct install *install = &shown->install;
	json_t *paths = json_array(), *list = json_array(), *object;

	for (size_t i = 0; install->paths[i]; i++)
		json_push(paths, json_text(install->paths[i]));
	for (size_t i = 0; i < shown->n; i++)
		json_push(list, json_generation(&shown->generations[i]));
	object = json_pack("{s:s, s:s, s:o, s:I, s:o}", "install", install->name, "mode",
			   install->live ? "live" : "generations", "paths", paths, "newest",
			   (json_int_t)install->newest, "generations", list);
	json_put(object, "candidate",
		 install->candidate ? json_integer(install->candidate) : json_null());
	json_put(object, "hash", json_boolean(install->live && shown->hashed));
	json_put(object, "live_instances", json_integer(shown->on_live));
	json_put(object, "tainted_instances", json_integer(shown->tainted));
	return object;
}

static void add_row(struct table *table, const struct shown *shown)
{
	const struct install *install = &shown->install;
	uint32_t instances = shown->on_live;
	char size[32] = "";

	for (size_t i = 0; i < shown->n; i++)
		instances += shown->generations[i].instances;
	if (shown->n)
		format_size(shown->generations[shown->n - 1].bytes, size, sizeof(size));
	table_add(table, install->name);
	if (install->live)
		table_add(table, "live");
	else
		table_addf(table, "%u", install->newest);
	table_addf(table, "%zu", shown->n);
	if (shown->tainted)
		table_addf(table, "%u, %u tainted", instances, shown->tainted);
	else
		table_addf(table, "%u", instances);
	table_add(table, size);
	table_addf(table, "%s%s", install->paths[0], install->paths[1] ? ", ..." : "");
}

/* Takes the installs over. */
static int list_each(const struct install_request *request, struct store *store,
		     struct install *installs, size_t n, struct table *table, json_t *list,
		     struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		struct shown shown = {.install = installs[i]};

		if (r == 0)
			r = load_rest(request, store, &shown, err);
		if (r == 0 && list)
			json_push(list, json_install(&shown));
		else if (r == 0)
			add_row(table, &shown);
		shown_deinit(&shown);
	}
	free(installs);
	return r;
}

int install_list(struct install_request *request, struct error *err)
{
	static const char *const heads[] = {"INSTALL",	 "NEWEST", "KEPT",
					    "INSTANCES", "SIZE",   "PATHS"};
	struct table table = {.columns = ARRAY_SIZE(heads)};
	json_t *list = request->invocation->options.json ? json_array() : NULL;
	cleanup_store struct store *store = NULL;
	struct install *installs = NULL;
	size_t n = 0;
	int r = install_store(request, &store, err);

	if (r == 0)
		r = store_install_list(store, &installs, &n, err);
	for (size_t i = 0; !list && n > 0 && i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	if (r == 0)
		r = list_each(request, store, installs, n, &table, list, err);
	if (r == 0 && list)
		return json_print(list);
	json_decref(list);
	if (r == 0 && n == 0)
		puts("no installs");
	else
		table_print(&table);
	return r;
}

static void print_generations(const struct shown *shown)
{
	static const char *const heads[] = {"GENERATION", "MADE", "BY",
					    "FILES",	  "SIZE", "INSTANCES"};
	struct table table = {.columns = ARRAY_SIZE(heads)};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (size_t i = shown->n; i-- > 0;) {
		const struct generation *generation = &shown->generations[i];
		char made[64], size[32];

		format_moment(generation->created_ns / NSEC_PER_SEC, made, sizeof(made));
		format_size(generation->bytes, size, sizeof(size));
		table_addf(&table, "%u%s", generation->number,
			   generation->number == shown->install.newest	? " (newest)"
			   : generation->number > shown->install.newest ? " (on trial)"
									: "");
		table_add(&table, made);
		table_add(&table, generation->backend);
		table_addf(&table, "%llu", (unsigned long long)generation->files);
		table_add(&table, size);
		table_addf(&table, "%u", generation->instances);
	}
	table_print(&table);
}

static void print_install(const struct shown *shown)
{
	const struct install *install = &shown->install;

	for (size_t i = 0; install->paths[i]; i++)
		printf("%-10s%s\n", i ? "" : install->name, install->paths[i]);
	if (install->live)
		printf("%-10snew instances see this itself, guarded%s; 'stint install adopt %s'\n"
		       "%-10smakes a generation for them, which nothing changes\n",
		       "live", shown->hashed ? ", with hashes" : "", install->name, "");
	if (shown->on_live)
		printf("%-10s%u on the live directories, %u of them tainted\n", "instances",
		       shown->on_live, shown->tainted);
	if (shown->n == 0)
		return;
	putchar('\n');
	print_generations(shown);
}

int install_show(struct install_request *request, struct error *err)
{
	cleanup_store struct store *store = NULL;
	struct shown shown = {0};
	int r = install_store(request, &store, err);

	if (r == 0)
		r = store_install_load(store, install_name(request), &shown.install, err);
	if (r == 0)
		r = load_rest(request, store, &shown, err);
	if (r == 0 && request->invocation->options.json)
		json_print(json_install(&shown));
	else if (r == 0)
		print_install(&shown);
	shown_deinit(&shown);
	return r;
}
