/* SPDX-License-Identifier: Apache-2.0 */
/* Whether another generation would be the same as the newest; see newest.h. */
#include "install/newest.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

static bool is_same(const struct adoption *adoption, const struct install *install,
		    const struct manifest *const *manifests)
{
	for (size_t i = 0; install->paths[i]; i++) {
		cleanup_manifest struct manifest earlier = {0};

		/* whatever is wrong with it, another one has a new one */
		if (generation_load_manifest(adoption->state_path, install->name, install->newest,
					     i, &earlier) < 0 ||
		    !manifest_has_all_already(&earlier, manifests[i]))
			return false;
	}
	return true;
}

/* Without a backend when it is not there any more. */
static int load_newest(const char *state_path, const struct install *install,
		       struct generation *ret_newest, struct error *err)
{
	cleanup_store struct store *store = NULL;
	struct generation *list = NULL;
	size_t n = 0;
	int r = store_open(state_path, &store, err);

	if (r == 0)
		r = store_generation_list(store, install->name, &list, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (list[i].number == install->newest) {
			*ret_newest = list[i];
			ret_newest->backend = xstrdup(list[i].backend);
		}
	generation_list_free(list, n);
	return r;
}

int newest_is_same(const struct adoption *adoption, const struct install *install,
		   const struct manifest *const *manifests, struct generation *ret_newest,
		   struct error *err)
{
	struct generation newest = {0};
	int r;

	if (adoption->trial || install->live || !install->newest ||
	    !is_same(adoption, install, manifests))
		return 0;
	r = load_newest(adoption->state_path, install, &newest, err);
	if (r < 0 || !newest.backend)
		return r;
	if (adoption->backend != BACKEND_AUTO &&
	    strcmp(newest.backend, backend_names[adoption->backend]) != 0) {
		free(newest.backend);
		return 0;
	}
	*ret_newest = newest;
	return 1;
}
