/* SPDX-License-Identifier: Apache-2.0 */
/* stint install: installs and their generations. */
#include "cli/action.h"
#include "cli/commands.h"
#include "cli/install.h"
#include "cli/place.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/process.h"
#include "instance/check.h"
#include "instance/guard.h"
#include "instance/spares.h"

#include <stdio.h>
#include <string.h>

const char *install_name(const struct install_request *request)
{
	return request->invocation->args[1];
}

static bool wants_json(const struct install_request *request)
{
	return request->invocation->options.json;
}

int install_store(const struct install_request *request, struct store **ret_store,
		  struct error *err)
{
	return site_open_store_to_read(&request->site, ret_store, err);
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

static int print_generation(const struct install_request *request,
			    const struct generation *generation, bool made, int64_t took_ns)
{
	const char *name = install_name(request);
	char size[32], time[32];
	json_t *object;

	if (wants_json(request)) {
		object = json_generation(generation);
		json_put(object, "made", json_boolean(made));
		return json_print(object);
	}
	format_size(generation->bytes, size, sizeof(size));
	format_duration(took_ns, time, sizeof(time));
	if (made)
		printf("generation %u of %s: %llu file%s, %s, by %s, in %s\n", generation->number,
		       name, (unsigned long long)generation->files, plural(generation->files), size,
		       generation->backend, time);
	else
		printf("%s: nothing has changed since generation %u\n", name, generation->number);
	return 0;
}

int install_adoption(const struct install_request *request, struct progress *progress,
		     struct adoption *ret_adoption, struct error *err)
{
	*ret_adoption = (struct adoption){
		.state_path = request->site.state_path,
		.install = install_name(request),
		.cancel = -1,
		.hash = request->invocation->options.hash,
		.tell = progress_of_tree,
		.data = progress,
	};
	return parse_backend(request->invocation->options.backend, &ret_adoption->backend, err);
}

/* With paths the install is new. */
static int make_generation(struct install_request *request, char *const *paths, struct error *err)
{
	int64_t begun_ns = clock_boottime_ns();
	cleanup_fd int signals = process_take_signals(0);
	struct progress progress = {0};
	struct generation generation = {0};
	struct adoption adoption;
	int r = install_adoption(request, &progress, &adoption, err);

	adoption.cancel = signals;
	if (r == 0)
		r = paths ? install_create(&adoption, paths, &generation, err)
			  : generation_adopt(&adoption, &generation, err);
	progress_clear(&progress);
	if (r >= 0)
		print_generation(request, &generation, r == 0, clock_boottime_ns() - begun_ns);
	free(generation.backend);
	return r < 0 ? r : 0;
}

static int adopt(struct install_request *request, struct error *err)
{
	return make_generation(request, NULL, err);
}

static int check_new(const struct install_request *request, struct error *err)
{
	if (!is_valid_name(install_name(request)))
		return error_say(err, ERROR_USAGE,
				 "'%s' is no name: use a-z, 0-9 and '-', at most 63 characters, "
				 "the first no '-'",
				 install_name(request));
	for (char **path = request->invocation->args + 2; *path; path++)
		path_trim(*path);
	return check_install_paths(request->invocation->args + 2, err);
}

static int add_install(struct install_request *request, struct error *err)
{
	int r = check_new(request, err);

	return r < 0 ? r : make_generation(request, request->invocation->args + 2, err);
}

static int print_live(const struct install_request *request, bool hash)
{
	if (wants_json(request))
		return json_print(json_pack("{s:s, s:s, s:b}", "install", install_name(request),
					    "mode", "live", "hash", hash));
	printf("%s: new instances see its directories themselves, guarded%s\n",
	       install_name(request), hash ? ", with hashes" : "");
	return 0;
}

/* With paths the install is new, and nothing is copied. */
static int make_live(struct install_request *request, struct error *err)
{
	char *const *paths = request->invocation->args[2] ? request->invocation->args + 2 : NULL;
	struct progress progress = {0};
	struct live_look look = {.hash = request->invocation->options.hash,
				 .hashing = {.tell = progress_of_tree, .data = &progress}};
	cleanup_fd int signals = -1;
	int r = paths ? check_new(request, err) : 0;

	if (r < 0)
		return r;
	signals = process_take_signals(0);
	look.hashing.cancel = signals;
	r = guard_switch(&request->site, install_name(request), paths, &look, err);
	progress_clear(&progress);
	return r < 0 ? r : print_live(request, look.hash);
}

static int remove_install(struct install_request *request, struct error *err)
{
	const char *name = install_name(request);
	int r = install_remove(request->site.state_path, name, err);

	if (r < 0)
		return r;
	if (wants_json(request))
		return json_print(json_pack("{s:s, s:b}", "install", name, "removed", 1));
	printf("%s: no install any more; its directories stay as they are\n", name);
	return 0;
}

/* Those that were there and are not there any more. */
static void print_pruned(const struct install_request *request, const struct generation *before,
			 size_t n_before, const struct generation *after, size_t n_after)
{
	json_t *removed = json_array();

	for (size_t i = 0, j = 0; i < n_before; i++) {
		while (j < n_after && after[j].number < before[i].number)
			j++;
		if (j < n_after && after[j].number == before[i].number)
			continue;
		json_push(removed, json_integer(before[i].number));
	}
	if (wants_json(request)) {
		json_print(json_pack("{s:s, s:o}", "install", install_name(request), "removed",
				     removed));
		return;
	}
	printf("%s: %zu generation%s removed, %zu kept\n", install_name(request),
	       json_array_size(removed), plural(json_array_size(removed)), n_after);
	json_decref(removed);
}

static int list_generations(const struct install_request *request, struct generation **ret_list,
			    size_t *ret_n, struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = install_store(request, &store, err);

	return r < 0 ? r
		     : store_generation_list(store, install_name(request), ret_list, ret_n, err);
}

static int prune(struct install_request *request, struct error *err)
{
	struct generation *before = NULL, *after = NULL;
	size_t n_before = 0, n_after = 0;
	int r = list_generations(request, &before, &n_before, err);

	if (r == 0)
		r = generation_prune(request->site.state_path, install_name(request), INT64_MAX,
				     err);
	if (r == 0)
		r = list_generations(request, &after, &n_after, err);
	if (r == 0)
		print_pruned(request, before, n_before, after, n_after);
	generation_list_free(before, n_before);
	generation_list_free(after, n_after);
	return r;
}

static const struct {
	struct action about;
	int (*act)(struct install_request *request, struct error *err);
} actions[] = {
	{{"ls", "", 1, 1, false}, install_list},
	{{"show", " NAME", 2, 2, false}, install_show},
	{{"add", " NAME PATH...", 3, 2 + INSTALL_PATHS_MAX, true}, add_install},
	{{"adopt", " NAME", 2, 2, true}, adopt},
	{{"canary", " NAME [TEMPLATE]", 2, 3, true}, install_canary},
	{{"live", " NAME [PATH...]", 2, 2 + INSTALL_PATHS_MAX, true}, make_live},
	{{"diff", " NAME FROM TO", 4, 4, false}, install_diff},
	{{"prune", " NAME", 2, 2, true}, prune},
	{{"rm", " NAME", 2, 2, true}, remove_install},
};

/* Spares are made anew on what has changed. */
static int act(struct install_request *request, struct error *err)
{
	size_t i = 0;
	int r = ACTION_CHOOSE(request->invocation, actions, &i, err);

	if (r == 0 && actions[i].about.changes)
		r = site_check_writable(&request->site, err);
	if (r == 0)
		r = actions[i].act(request, err);
	fflush(stdout);
	if (r == 0 && actions[i].about.changes)
		spares_fill_if_any(&request->site);
	return r;
}

static int run_install(const struct invocation *invocation)
{
	struct install_request request = {.invocation = invocation,
					  .site = {.state = -1, .run = -1}};
	struct error err = {0};
	int status = 0;

	if (place_open_to_look(&request.site, &err) < 0 || act(&request, &err) < 0)
		status = report(&err);
	site_close(&request.site);
	return status;
}

const struct command install_command = {
	.name = "install",
	.usage = "ls | show NAME | add NAME PATH... | adopt NAME | canary NAME [TEMPLATE] | "
		 "live NAME [PATH...] | diff NAME FROM TO | prune NAME | rm NAME",
	.options = "backend hash set env secret json",
	.summary = "list and change installs, and keep generations of them",
	.description =
		"An install is a server's directories under a name. add makes a copy of them, the "
		"first generation, and adopt makes another one, after a vendor's fix tool was at "
		"work, say: instances that are started from then on see the newest, and each that "
		"is there already goes on seeing what it was started on. Templates name the paths, "
		"or the install. canary is an adopt that first starts an instance of TEMPLATE on "
		"the "
		"copy, waits until it is ready and runs the template's check: the copy is removed "
		"if that fails, and what new instances see stays what it was. With live, new "
		"instances see the directories themselves, and nothing is copied: what changes "
		"below them is noted with each of them, see ls and show; with --hash they are "
		"known "
		"by what is in the files, which 'stint ls --check' reads again. prune removes "
		"generations "
		"that are not the newest and that no "
		"instance is on; a sweep does it a day after they were replaced.",
	.min_args = 1,
	.max_args = -1,
	.run = run_install,
};
