/* SPDX-License-Identifier: Apache-2.0 */
/* Spares as commands see them; see spares.h. */
#include "instance/spares.h"
#include "instance/above.h"
#include "instance/background.h"
#include "instance/instance.h"
#include "instance/lowers.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/installs.h"

#include <fts.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

static const char *refusal_of(const struct plan *plan)
{
	if (plan->no_spares)
		return plan->no_spares;
	if (plan->content.n_secrets > 0)
		return "its server is given secrets at its start, which are the caller's";
	if (plan->ha_group)
		return "a member of a high-availability group is alone on its host";
	if (plan->hooks[HOOK_BEFORE_START].command || plan->hooks[HOOK_AFTER_READY].command ||
	    plan->hooks[HOOK_AFTER_END].command)
		return "its hooks are run for a name and an owner, which a spare does not have";
	return NULL;
}

int spares_check_plan(const struct plan *plan, struct error *err)
{
	const char *refusal = refusal_of(plan);

	if (!refusal)
		return 0;
	return error_say(err, ERROR_REFUSED, "template '%s' cannot be started ahead of time: %s",
			 plan->template_name, refusal);
}

/* A link on the way to a file of the host, or a directory, may come to lead to another one. */
void spares_write_likeness(const struct plan *plan, struct text *ret_text)
{
	plan_write_likeness(plan, ret_text);
	for (size_t i = 0; i < plan->content.n_files; i++) {
		const char *from = plan->content.files[i].from;
		struct stat st;

		if (from && stat(from, &st) == 0)
			text_addf(ret_text, "%s: %ju:%ju\n", from, (uintmax_t)st.st_dev,
				  (uintmax_t)st.st_ino);
	}
}

int likeness_find(const struct site *site, struct store *store, const struct plan *plan,
		  struct likeness *ret_likeness, struct error *err)
{
	cleanup_strv char **names = NULL, **above = NULL;
	struct text text = {0};
	int r = store_find_lowers(store, plan->install, NULL, &names, err);

	if (r == 0)
		r = above_find(site, plan, &above, err);
	if (r < 0)
		return r;
	spares_write_likeness(plan, &text);
	*ret_likeness = (struct likeness){
		.plan = plan,
		.text = text_take(&text),
		.lowers = lowers_resolve(site, plan->install, names),
		.above = steal_ptr(above),
	};
	return 0;
}

void likeness_deinit(struct likeness *likeness)
{
	free(likeness->text);
	strv_free(likeness->lowers);
	strv_free(likeness->above);
	*likeness = (struct likeness){0};
}

static bool equal_lists(char *const *a, char *const *b)
{
	size_t n = strv_length(a);

	if (n != strv_length(b))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

/* Also what cannot be looked at has changed. */
static bool entry_changed(const FTSENT *entry, int64_t since_ns)
{
	const struct timespec *changed = &entry->fts_statp->st_ctim;

	return entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
	       entry->fts_info == FTS_NS ||
	       changed->tv_sec * NSEC_PER_SEC + changed->tv_nsec >= since_ns;
}

/* A file, or a directory with all that is in it. */
static bool tree_changed(char *path, int64_t since_ns)
{
	char *const paths[] = {path, NULL};
	FTS *tree = fts_open(paths, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	bool changed = !tree;
	FTSENT *entry;

	while (!changed && (entry = fts_read(tree)))
		changed = entry_changed(entry, since_ns);
	if (tree)
		fts_close(tree);
	return changed;
}

/* A spare has what was in the host's files when it was started. */
static bool content_changed(const struct plan_content *content, int64_t since_ns)
{
	for (size_t i = 0; i < content->n_files; i++)
		if (content->files[i].from && tree_changed(content->files[i].from, since_ns))
			return true;
	return false;
}

const char *spare_differs(const struct site *site, const struct spare *spare,
			  const struct likeness *likeness)
{
	const struct record *record = spare->record;
	cleanup_strv char **lowers = lowers_of(site, record);

	if (strcmp(spare->likeness, likeness->text) != 0)
		return "the template has changed";
	if (!equal_lists(lowers, likeness->lowers) || !equal_lists(record->above, likeness->above))
		return "its install has a newer generation";
	if (record->tainted)
		return "its live install has changed";
	if (content_changed(&likeness->plan->content, record->created_ns))
		return "a file of the host that it was given has changed";
	return NULL;
}

int spare_end(const struct site *site, struct store *store, const char *id, const char *reason,
	      struct error *err)
{
	cleanup_free char *why = xasprintf("a spare: %s", reason);
	int r = store_spare_take(store, id, err);

	if (r <= 0)
		return r;
	r = instance_kill(site, id, why, err);
	return r < 0 ? r : 1;
}

void spares_end_orphans(const struct site *site, struct store *store)
{
	cleanup_strv char **ids = NULL;

	if (store_spare_orphans(store, &ids, NULL) < 0)
		return;
	for (size_t i = 0; ids && ids[i]; i++)
		(void)instance_kill(site, ids[i], "a spare: its pool is gone", NULL);
}

bool spares_give_way(const struct site *site, struct store *store)
{
	cleanup_free char *id = NULL;

	if (store_spare_newest(store, &id, NULL) < 0 || !id)
		return false;
	return spare_end(site, store, id, "its room was needed", NULL) >= 0;
}

void spares_fill(const struct site *site)
{
	background_run(site, (char *[]){(char *)"fill", NULL});
}

void spares_fill_if_any(const struct site *site)
{
	struct store *store = NULL;
	struct pool *pools = NULL;
	size_t n = 0;

	if (store_open(site->state_path, &store, NULL) < 0)
		return;
	(void)store_pool_list(store, &pools, &n, NULL);
	pool_list_free(pools, n);
	store_close(store);
	if (n > 0)
		spares_fill(site);
}
