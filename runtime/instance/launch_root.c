/* SPDX-License-Identifier: Apache-2.0 */
/* The root of an instance that is about to be launched; see start.h. */
#include "instance/disk.h"
#include "instance/residents.h"
#include "instance/start.h"
#include "base/cleanup.h"
#include "base/weaken.h"
#include "cgroup/inside.h"

#include <string.h>

/* Groups that a template may make the server see are shown read-only where programs look. */
static size_t find_views(const struct launch *launch, struct rootfs_view *views)
{
	const struct cgroup_tree *tree = &launch->prepared->tree;
	size_t n = 0;

	for (size_t i = 0; i < tree->n; i++)
		if (cgroup_view(&tree->list[i], launch->record->cgroup, launch->record->grant.id,
				&views[n].source, &views[n].target))
			n++;
	/* beside version 1 controllers a version 2 tree has nothing to show */
	for (size_t i = 0; n > 1 && i < n; i++)
		if (strcmp(views[i].target, "/sys/fs/cgroup") == 0) {
			free(views[i].source);
			free(views[i].target);
			views[i] = views[--n];
		}
	return n;
}

static bool is_taken_out(const struct root_op *op)
{
	if (op->kind == ROOT_READ_ONLY)
		return weakened("readonly");
	return (op->kind == ROOT_MASK_FILE || op->kind == ROOT_MASK_DIRECTORY) && weakened("masks");
}

static void weaken_root(struct root_ops *ops)
{
	for (size_t i = 0; i < ops->n; i++) {
		struct root_op *op = &ops->list[i];

		if (is_taken_out(op)) { /* something harmless instead: the root's own directory */
			op->target[1] = '\0';
			*op = (struct root_op){
				.kind = ROOT_DIRECTORY, .mode = 0755, .target = op->target};
		}
		if (weakened("readonly") && (op->kind == ROOT_BIND || op->kind == ROOT_PROC))
			op->flags |= ROOT_WRITABLE;
	}
}

int launch_compile_root(const struct launch *launch, struct root_ops *ret_ops, struct error *err)
{
	const struct record *record = launch->record;
	struct rootfs_view views[CGROUP_HIERARCHIES_MAX];
	struct residents residents;
	struct rootfs_account account = {
		.name = launch->account->name,
		.group = launch->account->group,
		.home = launch->account->home,
		.uid = launch->account->uid,
		.gid = launch->account->gid,
	};
	struct rootfs_input input = {
		.plan = launch->plan,
		.hostname = record->grant.id,
		.address = record->address,
		.address6 = record->address6,
		.zone_files = launch->network->files,
		.peers = launch->network->zone.peers,
		.account = &account,
		.groups = residents.groups,
		.owners = residents.owners,
		.paths = launch->paths,
		.lowers = launch->content->lowers,
		.cgroups = views,
		.puts = launch->content->puts,
		.secrets = launch->content->secrets,
		.n_secrets = launch->content->n_secrets,
		.n_cgroups = find_views(launch, views),
		.has_ids = record->id_base != 0,
	};
	int r;

	residents_find(launch->account, launch->lowers, &residents);
	input.n_groups = residents.n_groups;
	input.n_owners = residents.n_owners;
	disk_fill_input(launch->site, record, &input);
	r = rootfs_compile(&input, ret_ops, err);
	if (r == 0 && launch->predecessor < 0)
		r = disk_make_scratch(launch->prepared->pool, ret_ops, err);
	weaken_root(ret_ops);
	residents_deinit(&residents);
	free((char *)input.layers);
	free((char *)input.scratch);
	for (size_t i = 0; i < input.n_cgroups; i++) {
		free(views[i].source);
		free(views[i].target);
	}
	return r;
}
