/* SPDX-License-Identifier: Apache-2.0 */
/* What of a start depends on the host, looked at before anything is entered; see starting.h. */
#include "instance/starting.h"
#include "instance/above.h"
#include "instance/check.h"
#include "instance/disk.h"
#include "instance/guard.h"
#include "instance/ids.h"
#include "instance/lowers.h"
#include "instance/own_ids.h"
#include "instance/saved.h"
#include "instance/share.h"
#include "cgroup/cgroup.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "base/weaken.h"
#include "store/installs.h"

#include <fcntl.h>

/* As it is now: the record says at last what it gets, which may be newer. */
int start_find_lowers(struct starting *s, struct error *err)
{
	char *const *install = s->request->plan->install;
	cleanup_strv char **names = NULL;
	int r = store_find_lowers(s->store, install, s->request->trial, &names, err);

	if (r < 0)
		return r;
	s->lowers = lowers_resolve(s->site, install, names);
	s->live = guard_installs(names);
	return 0;
}

char **start_lowers(const struct starting *s)
{
	cleanup_strv char **above = above_of(s->above, SIZE_MAX);
	char **all = strv_copy(s->lowers);

	for (size_t i = 0; above && above[i]; i++)
		strv_add(&all, above[i]);
	return all;
}

static int look_at_ids(const struct site *site, struct error *err)
{
	cleanup_fd int etc = file_open_directory(AT_FDCWD, "/etc");

	return etc < 0 ? error_set(err, -etc, "cannot open '/etc'")
		       : ids_check(etc, &site->config.ids, err);
}

/*
 * Only who may do without a user namespace is looked at beforehand: for all others the start itself
 * says what is missing.
 */
static void choose_ids(struct starting *s)
{
	cleanup_strv char **directories = start_lowers(s);

	s->admission = s->site->admission;
	if (weakened("userns"))
		s->admission.ids.count = 0;
	if (!s->request->plan->best_effort)
		return;
	strv_add(&directories, s->site->state_path);
	if (own_ids_possible(&s->admission.ids, directories, &s->without) < 0)
		s->admission.ids.count = 0;
}

static int find_account(struct starting *s, struct error *err)
{
	const struct plan *plan = s->request->plan;

	if (plan->run.user)
		return account_resolve(plan->run.user, &s->account, err);
	if (plan->install && plan->install[0])
		return account_of_owner(s->lowers[0], &s->account, err);
	return account_resolve("nobody", &s->account, err);
}

int start_take_content(struct starting *s, struct error *err)
{
	const struct plan *plan = s->request->plan;
	int r = check_install(s->lowers, err);

	if (r == 0)
		r = check_paths(plan, &s->paths, err);
	if (r == 0)
		r = find_account(s, err);
	return r < 0 ? r : content_open(plan, &s->account, s->request->secrets, &s->content, err);
}

int start_look_at_host(struct starting *s, struct error *err)
{
	const struct plan *plan = s->request->plan;
	int r = check_supported(plan, err);

	if (r == 0)
		r = look_at_ids(s->site, err);
	if (r == 0 && plan->layers)
		s->saved = saved_hold(s->site);
	if (r == 0)
		r = above_find(s->site, plan, &s->above, err);
	if (r == 0)
		r = check_harvest(plan, err);
	if (r < 0)
		return r;
	choose_ids(s);
	return start_take_content(s, err);
}

/* The host's groups are looked at only where the instance counts for anything. */
static int find_memory_budget(const struct site *site, uint64_t *ret_bytes, struct error *err)
{
	const struct host_amount *most = &site->config.host.memory_limits;
	struct cgroup_tree tree;
	int r;

	*ret_bytes = most->bytes;
	if (!most->percent)
		return 0;
	r = cgroup_tree_discover(&tree, err);
	if (r == 0)
		*ret_bytes = share_memory(&tree, site->cgroup) / 100 * most->percent;
	cgroup_tree_deinit(&tree);
	return r;
}

int start_look_for_room(struct starting *s, struct error *err)
{
	const struct host_share *host = &s->site->config.host;
	struct host_budget *budget = &s->admission.budget;

	*budget = (struct host_budget){.unlimited_bytes = host->memory_unlimited};
	disk_set_budget(s->site, s->record, budget);
	if (!s->record->memory_bytes && !host->memory_unlimited)
		return 0;
	return find_memory_budget(s->site, &budget->memory_bytes, err);
}
