/* SPDX-License-Identifier: Apache-2.0 */
/* What is different between two generations; see compare.h. */
#include "install/compare.h"
#include "install/generation.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

static void add(struct change_list *changes, enum change_kind kind, const char *root,
		const char *path)
{
	changes->list = xrealloc(changes->list, changes->n + 1, sizeof(*changes->list));
	changes->list[changes->n++] = (struct change){
		.kind = kind, .path = xasprintf("%s%s%s", root, *path ? "/" : "", path)};
}

/* Both are sorted: one walk through the two. */
void manifests_compare(const struct manifest *a, const struct manifest *b, const char *root,
		       bool (*same)(const struct manifest_entry *, const struct manifest_entry *),
		       struct change_list *changes)
{
	size_t i = 0, j = 0;

	while (i < a->n || j < b->n) {
		int order = i == a->n	? 1
			    : j == b->n ? -1
					: strcmp(a->list[i].path, b->list[j].path);

		if (order < 0) {
			add(changes, CHANGE_REMOVED, root, a->list[i++].path);
		} else if (order > 0) {
			add(changes, CHANGE_ADDED, root, b->list[j++].path);
		} else {
			if (!same(&a->list[i], &b->list[j]))
				add(changes, CHANGE_CHANGED, root, a->list[i].path);
			i++, j++;
		}
	}
}

static int load(const char *state_path, const struct install *install, uint32_t number,
		size_t index, struct manifest *ret_manifest, struct error *err)
{
	int r = generation_load_manifest(state_path, install->name, number, index, ret_manifest);

	if (r == -ENOENT)
		return error_say(err, ERROR_NOT_FOUND,
				 "the install '%s' has no generation %u; see 'stint install show "
				 "%s'",
				 install->name, number, install->name);
	return r < 0 ? error_set(err, -r, "cannot read the manifest of generation %u of '%s'",
				 number, install->name)
		     : 0;
}

int generations_compare(const char *state_path, const struct install *install, uint32_t from,
			uint32_t to, struct change_list *ret_changes, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && install->paths[i]; i++) {
		cleanup_manifest struct manifest a = {0}, b = {0};

		r = load(state_path, install, from, i, &a, err);
		if (r == 0)
			r = load(state_path, install, to, i, &b, err);
		if (r == 0)
			manifests_compare(&a, &b, install->paths[i], manifest_entry_looks_same,
					  ret_changes);
	}
	return r;
}

void change_list_deinit(struct change_list *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		free(changes->list[i].path);
	free(changes->list);
	*changes = (struct change_list){0};
}
