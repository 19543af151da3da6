/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a start and their undo; see steps.h. In commands. */
#include "instance/steps.h"
#include "instance/lowers.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "instance/disk.h"
#include "rootfs/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

struct step {
	const char *name;
	int (*prepare)(const struct site *site, const struct record *record,
		       struct prepared *prepared, struct error *err);
	int (*undo)(const struct site *site, const struct record *record, struct error *err);
	bool holds_files; /* what the instance wrote: the log, the disk */
};

static char *own_directory(const struct record *record)
{
	return xasprintf("i/%s", record->grant.id);
}

static int prepare_run(const struct site *site, const struct record *record,
		       struct prepared *prepared, struct error *err)
{
	cleanup_free char *path = own_directory(record);

	if (mkdirat(site->run, path, 0700) < 0)
		return error_set(err, errno, "cannot make '%s/%s'", site->run_path, path);
	prepared->run = file_open_directory(site->run, path);
	if (prepared->run < 0)
		return error_set(err, -prepared->run, "cannot open '%s/%s'", site->run_path, path);
	return 0;
}

static int undo_run(const struct site *site, const struct record *record, struct error *err)
{
	cleanup_free char *path = own_directory(record);
	int r = file_remove_tree(site->run, path);

	return r < 0 ? error_set(err, -r, "cannot remove '%s/%s'", site->run_path, path) : 0;
}

static int prepare_state(const struct site *site, const struct record *record,
			 struct prepared *prepared, struct error *err)
{
	cleanup_free char *path = own_directory(record);
	cleanup_fd int state = -1;

	if (mkdirat(site->state, path, 0700) < 0)
		return error_set(err, errno, "cannot make '%s/%s'", site->state_path, path);
	state = file_open_directory(site->state, path);
	if (state < 0)
		return error_set(err, -state, "cannot open '%s/%s'", site->state_path, path);
	prepared->log = openat(state, "log", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (prepared->log < 0)
		return error_set(err, errno, "cannot create '%s/%s/log'", site->state_path, path);
	return 0;
}

static int undo_state(const struct site *site, const struct record *record, struct error *err)
{
	cleanup_free char *path = own_directory(record);
	int r = file_remove_tree(site->state, path);

	return r < 0 ? error_set(err, -r, "cannot remove '%s/%s'", site->state_path, path) : 0;
}

/* The pool of everything that the instance writes, with an upper for each install directory. */
static int prepare_disk(const struct site *site, const struct record *record,
			struct prepared *prepared, struct error *err)
{
	cleanup_fd int state = site_open_state_of(site, record->grant.id);
	cleanup_strv char **lowers = lowers_of(site, record);
	int r;

	if (state < 0)
		return error_set(err, -state, "cannot open the state directory");
	r = disk_prepare(site, record, state, &prepared->pool, err);
	if (r < 0)
		return r;
	for (size_t i = 0; lowers && lowers[i]; i++) {
		cleanup_free char *layer = xasprintf("%zu", i);
		const char *part;

		r = root_make_layer(prepared->pool, layer, lowers[i], &part);
		if (r < 0)
			return error_set(err, -r, "cannot make the %s layer of '%s'", part,
					 record->layers[i]);
	}
	return 0;
}

/*
 * The parent group goes with the last instance, and comes with the first: a start holds this lock
 * from making the groups until its keeper stands in them, an end while it removes the parent.
 */
static int open_group_lock(const struct site *site)
{
	int fd = openat(site->run, "groups.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static char *server_group(const struct record *record)
{
	return xasprintf("%s/%s/server", record->cgroup, record->grant.id);
}

static void watch_group(struct prepared *prepared, const char *server)
{
	cgroup_watch_open(&prepared->tree, server, &prepared->watch);
	prepared->freezer = cgroup_freezer_open(&prepared->tree, server);
}

static int prepare_groups(const struct site *site, const struct record *record,
			  struct prepared *prepared, struct error *err)
{
	cleanup_free char *server = NULL;
	int r;

	prepared->group_lock = open_group_lock(site);
	if (prepared->group_lock < 0)
		return error_set(err, -prepared->group_lock, "cannot open '%s/groups.lock'",
				 site->run_path);
	if (flock(prepared->group_lock, LOCK_SH) < 0)
		return error_set(err, errno, "cannot lock '%s/groups.lock'", site->run_path);
	r = cgroup_prepare(&prepared->tree, record->cgroup, record->grant.id, &prepared->groups,
			   err);
	if (r < 0)
		return r;
	server = server_group(record);
	cgroup_account(&prepared->tree, server);
	watch_group(prepared, server);
	if (record->grant.lease.frozen_ns && prepared->freezer < 0)
		return error_say(err, ERROR_REFUSED,
				 "'on_expiry: freeze' needs control groups of version 2, which "
				 "this host does not have");
	return 0;
}

/* A start that hangs must not make ends hang: then the parent is left to a later end. */
static void remove_parent(const struct site *site, const struct cgroup_tree *tree,
			  const char *parent)
{
	cleanup_fd int lock = open_group_lock(site);

	for (int tries = 0; lock >= 0 && tries < 200; tries++) {
		if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
			cgroup_remove_parent(tree, parent);
			return;
		}
		poll(NULL, 0, 5);
	}
}

static int undo_groups(const struct site *site, const struct record *record, struct error *err)
{
	struct cgroup_tree tree;
	int r = cgroup_tree_discover(&tree, err);

	if (r == 0) {
		r = cgroup_undo(&tree, record->cgroup, record->grant.id, err);
		remove_parent(site, &tree, record->cgroup);
	}
	cgroup_tree_deinit(&tree);
	return r;
}

void steps_remove_parent(const struct site *site)
{
	struct cgroup_tree tree;

	if (cgroup_tree_discover(&tree, NULL) == 0)
		remove_parent(site, &tree, site->cgroup);
	cgroup_tree_deinit(&tree);
}

/* The groups come last: their undo is what makes sure that nothing runs any more. */
static const struct step steps[] = {
	{"run directory", prepare_run, undo_run, false},
	{"state directory", prepare_state, undo_state, true},
	{"disk", prepare_disk, disk_undo, true},
	{"control groups", prepare_groups, undo_groups, false},
};

static const struct prepared nothing = {.group_lock = -1,
					.run = -1,
					.log = -1,
					.pool = -1,
					.freezer = -1,
					.watch = {.event = -1, .count = -1, .hits = -1}};

int steps_prepare(const struct site *site, const struct record *record,
		  struct prepared *ret_prepared, struct error *err)
{
	int r;

	*ret_prepared = nothing;
	r = cgroup_tree_discover(&ret_prepared->tree, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++) {
		r = fault_at_part("prepare", steps[i].name, err);
		if (r == 0)
			r = steps[i].prepare(site, record, ret_prepared, err);
		if (r < 0)
			error_prefix(err, "%s", steps[i].name);
	}
	return r;
}

static int reopen_places(const struct site *site, const struct record *record,
			 struct prepared *prepared, struct error *err)
{
	cleanup_fd int state = site_open_state_of(site, record->grant.id);

	if (state < 0)
		return error_set(err, -state, "cannot open the state directory");
	prepared->run = site_open_run_of(site, record->grant.id);
	if (prepared->run < 0)
		return error_set(err, -prepared->run, "cannot open the run directory");
	prepared->log = openat(state, "log", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	return prepared->log < 0 ? error_set(err, errno, "cannot open the log") : 0;
}

int steps_reopen(const struct site *site, const struct record *record, int pool,
		 struct prepared *ret_prepared, struct error *err)
{
	cleanup_free char *server = server_group(record);
	int r;

	*ret_prepared = nothing;
	r = cgroup_tree_discover(&ret_prepared->tree, err);
	if (r == 0)
		r = reopen_places(site, record, ret_prepared, err);
	if (r == 0)
		r = disk_renew(record, pool, &ret_prepared->pool, err);
	if (r == 0)
		r = cgroup_reopen(&ret_prepared->tree, record->cgroup, record->grant.id,
				  &ret_prepared->groups, err);
	if (r == 0)
		watch_group(ret_prepared, server);
	return r;
}

void prepared_unlock(struct prepared *prepared)
{
	cleanup_close(&prepared->group_lock);
}

void prepared_deinit(struct prepared *prepared)
{
	prepared_unlock(prepared);
	cgroup_tree_deinit(&prepared->tree);
	cgroup_groups_close(&prepared->groups);
	cgroup_watch_close(&prepared->watch);
	cleanup_close(&prepared->freezer);
	cleanup_close(&prepared->run);
	cleanup_close(&prepared->log);
	cleanup_close(&prepared->pool);
}

static int undo_step(const struct step *step, const struct site *site, const struct record *record,
		     struct error *err)
{
	int r = fault_at_part("undo", step->name, err);

	return r < 0 ? r : step->undo(site, record, err);
}

static int undo_steps(const struct site *site, const struct record *record, bool files,
		      struct error *err)
{
	int first = 0;

	for (size_t i = ARRAY_SIZE(steps); i-- > 0;) {
		int r = 0;

		if (files || !steps[i].holds_files)
			r = undo_step(&steps[i], site, record, first ? NULL : err);
		if (r < 0 && first == 0)
			first = r;
		/* something does not die: nothing is taken from under it */
		if (r == -EBUSY && steps[i].undo == undo_groups)
			break;
	}
	return first;
}

int steps_undo(const struct site *site, const struct record *record, struct error *err)
{
	return undo_steps(site, record, true, err);
}

int steps_end(const struct site *site, const struct record *record, struct error *err)
{
	return undo_steps(site, record, false, err);
}
