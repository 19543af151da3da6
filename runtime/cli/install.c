/* SPDX-License-Identifier: Apache-2.0 */
/* stint install: installs and their generations. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/policy.h"
#include "cli/progress.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/process.h"
#include "instance/check.h"
#include "install/compare.h"
#include "install/generation.h"

#include <stdio.h>
#include <string.h>

struct request {
	const struct invocation *invocation;
	struct site site;
};

static const char *name_of(const struct request *request)
{
	return request->invocation->args[1];
}

static bool wants_json(const struct request *request)
{
	return request->invocation->options.json;
}

/* A store of its own for each question: making a generation takes long. */
static int open_store(const struct request *request, struct store **ret_store, struct error *err)
{
	return store_open(request->site.state_path, ret_store, err);
}

static json_t *json_generation(const struct generation *generation)
{
	char created[64];

	format_rfc3339(generation->created_ns / NSEC_PER_SEC, created, sizeof(created));
	return json_pack("{s:I, s:s, s:s, s:I, s:I, s:I}", "generation",
			 (json_int_t)generation->number, "backend", generation->backend, "created",
			 created, "files", (json_int_t)generation->files, "bytes",
			 (json_int_t)generation->bytes, "instances",
			 (json_int_t)generation->instances);
}

static json_t *json_install(const struct install *install, const struct generation *generations,
			    size_t n)
{
	json_t *paths = json_array(), *list = json_array();

	for (size_t i = 0; install->paths[i]; i++)
		json_array_append_new(paths, json_string(install->paths[i]));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_generation(&generations[i]));
	return json_pack("{s:s, s:o, s:I, s:o}", "install", install->name, "paths", paths, "newest",
			 (json_int_t)install->newest, "generations", list);
}

static void add_row(struct table *table, const struct install *install,
		    const struct generation *generations, size_t n)
{
	uint32_t instances = 0;
	char size[32] = "";

	for (size_t i = 0; i < n; i++)
		instances += generations[i].instances;
	if (n)
		format_size(generations[n - 1].bytes, size, sizeof(size));
	table_add(table, install->name);
	table_addf(table, "%u", install->newest);
	table_addf(table, "%zu", n);
	table_addf(table, "%u", instances);
	table_add(table, size);
	table_addf(table, "%s%s", install->paths[0], install->paths[1] ? ", ..." : "");
}

static int list_each(struct store *store, const struct install *installs, size_t n,
		     struct table *table, json_t *list, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct generation *generations = NULL;
		size_t n_generations = 0;

		r = store_generation_list(store, installs[i].name, &generations, &n_generations,
					  err);
		if (r == 0 && list)
			json_array_append_new(
				list, json_install(&installs[i], generations, n_generations));
		else if (r == 0)
			add_row(table, &installs[i], generations, n_generations);
		generation_list_free(generations, n_generations);
	}
	return r;
}

static int list_installs(struct request *request, struct error *err)
{
	static const char *const heads[] = {"INSTALL",	 "NEWEST", "KEPT",
					    "INSTANCES", "SIZE",   "PATHS"};
	struct table table = {.columns = ARRAY_SIZE(heads)};
	json_t *list = wants_json(request) ? json_array() : NULL;
	cleanup_store struct store *store = NULL;
	struct install *installs = NULL;
	size_t n = 0;
	int r = open_store(request, &store, err);

	if (r == 0)
		r = store_install_list(store, &installs, &n, err);
	for (size_t i = 0; !list && n > 0 && i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	if (r == 0)
		r = list_each(store, installs, n, &table, list, err);
	install_list_free(installs, n);
	if (r == 0 && list)
		return json_print(list);
	json_decref(list);
	if (r == 0 && n == 0)
		puts("no installs");
	else
		table_print(&table);
	return r;
}

static void print_install(const struct install *install, const struct generation *generations,
			  size_t n)
{
	static const char *const heads[] = {"GENERATION", "MADE", "BY",
					    "FILES",	  "SIZE", "INSTANCES"};
	struct table table = {.columns = ARRAY_SIZE(heads)};

	for (size_t i = 0; install->paths[i]; i++)
		printf("%-10s%s\n", i ? "" : install->name, install->paths[i]);
	putchar('\n');
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (size_t i = n; i-- > 0;) {
		char made[64], size[32];

		format_moment(generations[i].created_ns / NSEC_PER_SEC, made, sizeof(made));
		format_size(generations[i].bytes, size, sizeof(size));
		table_addf(&table, "%u%s", generations[i].number, i == n - 1 ? " (newest)" : "");
		table_add(&table, made);
		table_add(&table, generations[i].backend);
		table_addf(&table, "%llu", (unsigned long long)generations[i].files);
		table_add(&table, size);
		table_addf(&table, "%u", generations[i].instances);
	}
	table_print(&table);
}

static int show_install(struct request *request, struct error *err)
{
	cleanup_store struct store *store = NULL;
	struct generation *generations = NULL;
	struct install install = {0};
	size_t n = 0;
	int r = open_store(request, &store, err);

	if (r == 0)
		r = store_install_load(store, name_of(request), &install, err);
	if (r == 0)
		r = store_generation_list(store, install.name, &generations, &n, err);
	if (r == 0 && wants_json(request))
		json_print(json_install(&install, generations, n));
	else if (r == 0)
		print_install(&install, generations, n);
	generation_list_free(generations, n);
	install_deinit(&install);
	return r;
}

static int parse_backend(const char *word, enum backend *ret_backend, struct error *err)
{
	for (int i = 0; i < BACKENDS; i++)
		if (!word || strcmp(word, backend_names[i]) == 0) {
			*ret_backend = (enum backend)i;
			return 0;
		}
	return error_say(err, ERROR_USAGE,
			 "--backend: '%s' is none of auto, copy, reflink and erofs", word);
}

static void show_progress(const struct tree_progress *progress, void *data)
{
	cleanup_free char *text = NULL;
	char bar[64], done[32], whole[32];

	if (!progress_is_due(data))
		return;
	progress_bar(progress->bytes + progress->files,
		     progress->total_bytes + progress->total_files, bar, sizeof(bar));
	format_size(progress->bytes, done, sizeof(done));
	format_size(progress->total_bytes, whole, sizeof(whole));
	text = xasprintf("%s %s of %s, %llu of %llu files", bar, done, whole,
			 (unsigned long long)progress->files,
			 (unsigned long long)progress->total_files);
	progress_show(data, text);
}

static int print_generation(const struct request *request, const struct generation *generation,
			    int64_t took_ns)
{
	char size[32], time[32];

	if (wants_json(request))
		return json_print(json_generation(generation));
	format_size(generation->bytes, size, sizeof(size));
	format_duration(took_ns, time, sizeof(time));
	printf("generation %u of %s: %llu files, %s, by %s, in %s\n", generation->number,
	       name_of(request), (unsigned long long)generation->files, size, generation->backend,
	       time);
	return 0;
}

/* With paths the install is new. */
static int make_generation(struct request *request, char *const *paths, struct error *err)
{
	int64_t begun_ns = clock_boottime_ns();
	cleanup_fd int signals = process_take_signals(0);
	struct progress progress = {0};
	struct adoption adoption = {
		.state_path = request->site.state_path,
		.install = name_of(request),
		.cancel = signals,
		.tell = show_progress,
		.data = &progress,
	};
	struct generation generation = {0};
	int r = parse_backend(request->invocation->options.backend, &adoption.backend, err);

	if (r == 0)
		r = paths ? install_create(&adoption, paths, &generation, err)
			  : generation_adopt(&adoption, &generation, err);
	progress_clear(&progress);
	if (r == 0)
		print_generation(request, &generation, clock_boottime_ns() - begun_ns);
	free(generation.backend);
	return r;
}

static int adopt(struct request *request, struct error *err)
{
	return make_generation(request, NULL, err);
}

static int add_install(struct request *request, struct error *err)
{
	char *const *paths = request->invocation->args + 2;
	int r = is_valid_name(name_of(request))
			? check_install_paths(paths, err)
			: error_say(err, ERROR_USAGE,
				    "'%s' is no name: use a-z, 0-9 and '-', at most 63 characters, "
				    "the first no '-'",
				    name_of(request));

	return r < 0 ? r : make_generation(request, paths, err);
}

static int remove_install(struct request *request, struct error *err)
{
	return install_remove(request->site.state_path, name_of(request), err);
}

static int prune(struct request *request, struct error *err)
{
	return generation_prune(request->site.state_path, name_of(request), INT64_MAX, err);
}

static int print_changes(const struct request *request, const struct change_list *changes)
{
	static const char letters[] = {
		[CHANGE_ADDED] = 'A', [CHANGE_REMOVED] = 'D', [CHANGE_CHANGED] = 'C'};
	static const char *const words[] = {[CHANGE_ADDED] = "added",
					    [CHANGE_REMOVED] = "removed",
					    [CHANGE_CHANGED] = "changed"};
	json_t *list = wants_json(request) ? json_array() : NULL;

	for (size_t i = 0; i < changes->n; i++) {
		const struct change *change = &changes->list[i];

		if (list)
			json_array_append_new(list, json_pack("{s:s, s:s%}", "change",
							      words[change->kind], "path",
							      change->path, strlen(change->path)));
		else
			printf("%c %s\n", letters[change->kind], change->path);
	}
	return list ? json_print(list) : 0;
}

static int parse_generation(const char *word, uint32_t *ret_number, struct error *err)
{
	uint64_t number;

	if (parse_number(word, UINT32_MAX, &number) < 0 || !number)
		return error_say(err, ERROR_USAGE, "'%s' is no number of a generation", word);
	*ret_number = (uint32_t)number;
	return 0;
}

static int diff(struct request *request, struct error *err)
{
	char *const *args = request->invocation->args;
	cleanup_store struct store *store = NULL;
	struct change_list changes = {0};
	struct install install = {0};
	uint32_t from = 0, to = 0;
	int r = parse_generation(args[2], &from, err);

	if (r == 0)
		r = parse_generation(args[3], &to, err);
	if (r == 0)
		r = open_store(request, &store, err);
	if (r == 0)
		r = store_install_load(store, name_of(request), &install, err);
	if (r == 0)
		r = generations_compare(request->site.state_path, &install, from, to, &changes,
					err);
	if (r == 0)
		r = print_changes(request, &changes);
	change_list_deinit(&changes);
	install_deinit(&install);
	return r;
}

static const struct {
	const char *name;
	size_t min_operands, max_operands; /* with the name */
	bool changes;
	int (*act)(struct request *request, struct error *err);
} actions[] = {
	{"ls", 1, 1, false, list_installs},
	{"show", 2, 2, false, show_install},
	{"add", 3, 2 + INSTALL_PATHS_MAX, true, add_install},
	{"adopt", 2, 2, true, adopt},
	{"diff", 4, 4, false, diff},
	{"prune", 2, 2, true, prune},
	{"rm", 2, 2, true, remove_install},
};

static int act(struct request *request, struct error *err)
{
	const struct invocation *invocation = request->invocation;

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(invocation->args[0], actions[i].name) != 0)
			continue;
		if (invocation->n_args < actions[i].min_operands ||
		    invocation->n_args > actions[i].max_operands)
			break;
		if (actions[i].changes && invocation->caller->restricted)
			return error_say(
				err, ERROR_REFUSED,
				"'stint install %s' is not for members of the group " CALLER_GROUP,
				actions[i].name);
		return actions[i].act(request, err);
	}
	return error_say(err, ERROR_USAGE, "usage: stint install %s", invocation->command->usage);
}

static int run_install(const struct invocation *invocation)
{
	struct request request = {.invocation = invocation, .site = {.state = -1, .run = -1}};
	struct error err = {0};
	int status = 0;

	if (place_open(&request.site, &err) < 0 || act(&request, &err) < 0)
		status = report(&err);
	site_close(&request.site);
	return status;
}

const struct command install_command = {
	.name = "install",
	.usage =
		"ls | show NAME | add NAME PATH... | adopt NAME | diff NAME FROM TO | prune NAME | "
		"rm NAME",
	.options = "backend json",
	.summary = "list and change installs, and keep generations of them",
	.description =
		"An install is a server's directories under a name. add makes a copy of them, the "
		"first generation, and adopt makes another one, after a vendor's fix tool was at "
		"work, say: instances that are started from then on see the newest, and each that "
		"is there already goes on seeing what it was started on. Templates name the paths, "
		"or the install. prune removes generations that are not the newest and that no "
		"instance is on; a sweep does it a day after they were replaced.",
	.min_args = 1,
	.max_args = -1,
	.run = run_install,
};
