/* SPDX-License-Identifier: Apache-2.0 */
/* stint install diff: what is different between two generations. */
#include "cli/install.h"
#include "base/cleanup.h"
#include "base/visible.h"
#include "install/compare.h"

#include <stdio.h>
#include <string.h>

static int print_changes(const struct install_request *request, const struct change_list *changes)
{
	json_t *list = request->invocation->options.json ? json_array() : NULL;

	for (size_t i = 0; i < changes->n; i++) {
		const struct change *change = &changes->list[i];
		cleanup_text struct text name = {0};

		text_add_visible_name(&name, change->path);
		if (list)
			json_array_append_new(list, json_change(change->kind, change->path));
		else
			printf("%c %s\n", change_letter(change->kind), name.data);
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

int install_diff(struct install_request *request, struct error *err)
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
		r = install_store(request, &store, err);
	if (r == 0)
		r = store_install_load(store, install_name(request), &install, err);
	if (r == 0)
		r = generations_compare(request->site.state_path, &install, from, to, &changes,
					err);
	if (r == 0)
		r = print_changes(request, &changes);
	change_list_deinit(&changes);
	install_deinit(&install);
	return r;
}
