/* SPDX-License-Identifier: Apache-2.0 */
/* stint install diff: what is different between two generations, and which versions jars have. */
#include "cli/install.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "base/visible.h"
#include "install/compare.h"
#include "install/jar.h"
#include "instance/lowers.h"

#include <stdio.h>
#include <string.h>

/* The directories of a generation, open. */
struct side {
	uint32_t number;
	int directories[INSTALL_PATHS_MAX]; /* -1: not yet, or it cannot be opened */
};

struct diff {
	const struct install_request *request;
	struct install install;
	struct side from, to;
};

static void side_init(struct side *side)
{
	for (size_t i = 0; i < INSTALL_PATHS_MAX; i++)
		side->directories[i] = -1;
}

static void side_deinit(struct side *side)
{
	for (size_t i = 0; i < INSTALL_PATHS_MAX; i++)
		cleanup_close(&side->directories[i]);
}

static int open_part(const struct diff *diff, struct side *side, size_t index)
{
	cleanup_free char *path = xasprintf("%s/install/%s/%u/%zu", diff->request->site.state_path,
					    diff->install.name, side->number, index);

	if (side->directories[index] < 0)
		side->directories[index] = lower_open(path, NULL, NULL);
	return side->directories[index];
}

/* "": there is none. */
static void find_version(const struct diff *diff, struct side *side, const char *path,
			 char version[JAR_VERSION_SIZE])
{
	*version = '\0';
	for (size_t i = 0; diff->install.paths[i]; i++) {
		const char *root = diff->install.paths[i];

		if (!path_is_within(path, root) || strcmp(path, root) == 0)
			continue;
		if (open_part(diff, side, i) >= 0)
			(void)jar_version(side->directories[i], path + strlen(root) + 1, version);
	}
}

static void find_versions(struct diff *diff, const struct change *change,
			  char from[JAR_VERSION_SIZE], char to[JAR_VERSION_SIZE])
{
	*from = *to = '\0';
	if (!jar_is_named(change->path))
		return;
	if (change->kind != CHANGE_ADDED)
		find_version(diff, &diff->from, change->path, from);
	if (change->kind != CHANGE_REMOVED)
		find_version(diff, &diff->to, change->path, to);
}

static json_t *json_versions(const struct change *change, const char *from, const char *to)
{
	json_t *object = json_change(change->kind, change->path);

	if (*from)
		json_put(object, "from_version", json_text(from));
	if (*to)
		json_put(object, "to_version", json_text(to));
	return object;
}

static void print_change(const struct change *change, const char *from, const char *to)
{
	cleanup_text struct text name = {0};

	text_add_visible_name(&name, change->path);
	printf("%c %s", change_letter(change->kind), name.data);
	if (change->kind == CHANGE_CHANGED && (*from || *to))
		printf("  %s -> %s\n", *from ? from : "?", *to ? to : "?");
	else
		printf("%s%s%s\n", *from || *to ? "  " : "", from, to);
}

static int print_changes(struct diff *diff, const struct change_list *changes)
{
	json_t *list = diff->request->invocation->options.json ? json_array() : NULL;

	for (size_t i = 0; i < changes->n; i++) {
		char from[JAR_VERSION_SIZE], to[JAR_VERSION_SIZE];

		find_versions(diff, &changes->list[i], from, to);
		if (list)
			json_push(list, json_versions(&changes->list[i], from, to));
		else
			print_change(&changes->list[i], from, to);
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

/* The store is closed before jars are read: that is done in children. */
static int load_install(struct diff *diff, struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = install_store(diff->request, &store, err);

	return r < 0 ? r
		     : store_install_load(store, install_name(diff->request), &diff->install, err);
}

int install_diff(struct install_request *request, struct error *err)
{
	char *const *args = request->invocation->args;
	struct diff diff = {.request = request};
	struct change_list changes = {0};
	int r;

	side_init(&diff.from);
	side_init(&diff.to);
	r = parse_generation(args[2], &diff.from.number, err);
	if (r == 0)
		r = parse_generation(args[3], &diff.to.number, err);
	if (r == 0)
		r = load_install(&diff, err);
	if (r == 0)
		r = generations_compare(request->site.state_path, &diff.install, diff.from.number,
					diff.to.number, &changes, err);
	if (r == 0)
		r = print_changes(&diff, &changes);
	change_list_deinit(&changes);
	install_deinit(&diff.install);
	side_deinit(&diff.from);
	side_deinit(&diff.to);
	return r;
}
