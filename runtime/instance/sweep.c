/* SPDX-License-Identifier: Apache-2.0 */
/* What is overdue, has lost its keeper or has no record is ended; see sweep.h. In commands. */
#include "instance/saved.h"
#include "instance/sweep.h"
#include "instance/events.h"
#include "instance/guard.h"
#include "instance/instance.h"
#include "instance/keep.h"
#include "instance/leaks_look.h"
#include "instance/lock.h"
#include "instance/rebuild.h"
#include "instance/spares.h"
#include "instance/start.h"
#include "instance/steps.h"
#include "instance/succession.h"
#include "base/cleanup.h"
#include "install/candidate.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "store/taints.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LOOK_EVERY_NS NSEC_PER_SEC
#define STAMP "swept"

bool sweep_is_due(const struct site *site, const struct record *record, const char **ret_why)
{
	int64_t left = lease_left_ns(&record->grant.lease) + record->grant.lease.frozen_ns;

	*ret_why = "keeper lost";
	if (record->kept_until_ns)
		return record->kept_until_ns < clock_wall_ns();
	if (instance_is_from_other_boot(record) || !instance_is_alive(site, record->grant.id))
		return true;
	*ret_why = "expired; ended by a sweep";
	return left < -SWEEP_OVERDUE_NS;
}

/* Trying to end it takes seconds, and would be in the way of every other command. */
static bool is_stuck(const struct site *site, const struct record *record)
{
	struct status status;

	instance_observe(site, record, &status);
	return status.state == STATE_STUCK;
}

static void end_if_due(const struct site *site, struct store *store, const char *id, bool patient,
		       struct sweep_result *result, struct error *err)
{
	cleanup_record struct record *record = NULL;
	const char *why;
	int r = instance_load(site, id, &record, err);

	if (r == 0 && !patient && is_stuck(site, record))
		return;

	if (r == -ENOENT || (r == 0 && !sweep_is_due(site, record, &why)))
		return;
	if (r == 0 && instance_is_alive(site, id))
		r = steps_end(site, record, err);
	/* in passing nobody waits for who is at it already, and may pack files */
	if (r == 0)
		r = patient ? instance_end(site, id, why, err)
			    : instance_end_unless_busy(site, store, id, why);
	if (r == 0)
		result->ended++;
	else
		result->left++;
}

struct strays {
	const struct site *site;
	char **recorded; /* ids */
	char **ids;
};

/* The list may be older than an instance that was started meanwhile. */
static bool has_record(const struct site *site, const char *id)
{
	cleanup_record struct record *record = NULL;

	return instance_load(site, id, &record, NULL) != -ENOENT;
}

static int note_stray(const char *id, void *data)
{
	struct strays *strays = data;

	if (is_id(id) && !strv_contains(strays->ids, id) && !strv_contains(strays->recorded, id) &&
	    !instance_is_alive(strays->site, id) && !has_record(strays->site, id) &&
	    !rebuild_readmit(strays->site, id))
		strv_add(&strays->ids, id);
	return 0;
}

static bool has_directory(const struct site *site, const char *id)
{
	cleanup_fd int run = site_open_run_of(site, id);

	return run >= 0;
}

/*
 * A keeper that lives and has no record: nobody will ever look for its deadline. The record comes
 * before the directory and goes after it, so one that is started or ended now is not taken for it.
 */
static void end_keeper_without_record(struct strays *strays, const char *id)
{
	struct record bare = {.cgroup = strays->site->cgroup};

	if (!is_id(id) || strv_contains(strays->recorded, id) || strv_contains(strays->ids, id) ||
	    has_record(strays->site, id) || !has_directory(strays->site, id) ||
	    has_record(strays->site, id) || rebuild_readmit(strays->site, id))
		return;
	snprintf(bare.grant.id, sizeof(bare.grant.id), "%s", id);
	(void)steps_end(strays->site, &bare, NULL);
	strv_add(&strays->ids, id);
}

static void note_directory(struct strays *strays, int dirfd, const char *path)
{
	int fd = file_open_directory(dirfd, path);
	cleanup_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		note_stray(entry->d_name, strays);
		if (dirfd == strays->site->run)
			end_keeper_without_record(strays, entry->d_name);
	}
}

static void sweep_strays(const struct site *site, char **recorded, struct sweep_result *result,
			 struct error *err)
{
	struct strays strays = {.site = site, .recorded = recorded};
	struct cgroup_tree tree;

	note_directory(&strays, site->run, "i");
	note_directory(&strays, site->state, "i");
	note_directory(&strays, site->run, "lock");
	if (cgroup_tree_discover(&tree, err) == 0)
		cgroup_each_id(&tree, site->cgroup, note_stray, &strays);
	cgroup_tree_deinit(&tree);
	for (size_t i = 0; strays.ids && strays.ids[i]; i++) {
		if (instance_end(site, strays.ids[i], "stray", err) < 0) {
			result->left++;
			continue;
		}
		events_add(site, strays.ids[i], "swept", "it had no record");
		result->strays++;
	}
	strv_free(strays.ids);
	if (leaks_sweep_network(site, err) < 0)
		result->left++;
	steps_remove_parent(site);
}

/* Each once: what cannot be removed would be waited for, and counted, again. */
static void add_lost(const struct site *site, char **ids, char ***due)
{
	for (size_t i = 0; ids && ids[i]; i++)
		if (!instance_is_alive(site, ids[i]) && !strv_contains(*due, ids[i]))
			strv_add(due, ids[i]);
}

static void end_each(const struct site *site, struct store *store, char **ids, bool patient,
		     struct sweep_result *result, struct error *err)
{
	for (size_t i = 0; ids && ids[i]; i++)
		end_if_due(site, store, ids[i], patient, result, err);
}

static int find_due(struct store *store, char ***ret_ids, struct error *err)
{
	char boot_id[BOOT_ID_SIZE];
	int r = clock_boot_id(boot_id);

	if (r < 0)
		return error_set(err, -r, "cannot read this boot's id");
	return store_list_due(store, boot_id, clock_boottime_ns() - SWEEP_OVERDUE_NS,
			      clock_wall_ns() - SWEEP_OVERDUE_NS, ret_ids, err);
}

/* Of installs without a candidate there is nobody. */
static void end_abandoned(const struct site *site, struct store *store, struct sweep_result *result)
{
	struct install *installs = NULL;
	size_t n = 0;

	if (store_install_list(store, &installs, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		cleanup_strv char **ids = NULL;

		if (!installs[i].candidate ||
		    candidate_is_tried(site->state_path, installs[i].name) ||
		    store_candidate_instances(store, installs[i].name, &ids, NULL) < 0)
			continue;
		for (size_t j = 0; ids[j]; j++)
			if (instance_kill(site, ids[j], "the canary was lost", NULL) == 0)
				result->ended++;
	}
	install_list_free(installs, n);
}

static void sweep_generations(const struct site *site, struct store *store,
			      struct sweep_result *result)
{
	unsigned before = generations_unfinished(site->state_path, NULL, NULL), after;

	generations_sweep(site->state_path, store);
	after = generations_unfinished(site->state_path, NULL, NULL);
	if (after < before)
		result->strays += before - after;
}

static int sweep(const struct site *site, bool strays, char ***ret_live,
		 struct sweep_result *ret_result, struct error *err)
{
	cleanup_strv char **due = NULL, **ids = NULL, **all = NULL;
	/* kept to the end: what nobody has open is read as a whole by whoever opens it */
	cleanup_store struct store *store = NULL;
	int r = store_open(site->state_path, &store, err);

	if (r == 0)
		r = find_due(store, &due, err);
	if (r == 0)
		r = store_list_ids(store, false, &ids, err);
	if (r == 0 && strays)
		r = store_list_ids(store, true, &all, err);
	if (r < 0)
		return r;
	succession_sweep(site, store);
	add_lost(site, ids, &due);
	end_each(site, store, due, strays, ret_result, err);
	if (strays) {
		sweep_strays(site, all, ret_result, err);
		keep_prune_archives(site);
		end_abandoned(site, store, ret_result);
		sweep_generations(site, store, ret_result);
		spares_end_orphans(site, store);
		saved_sweep(site);
	}
	return store_live_installs(store, ret_live, err);
}

int site_sweep(const struct site *site, bool strays, struct sweep_result *ret_result,
	       struct error *err)
{
	cleanup_strv char **live = NULL;
	int r;

	*ret_result = (struct sweep_result){0};
	r = sweep(site, strays, &live, ret_result, err);
	guard_ensure(site, live);
	return r;
}

/*
 * The locks of all instances are looked at by one command per second: each costs three system
 * calls, and a thousand commands that start a thousand instances would look a million times.
 */
static bool is_time_to_look(const struct site *site)
{
	struct stat st;
	int64_t age;

	if (fstatat(site->run, STAMP, &st, 0) < 0)
		return true;
	age = clock_wall_ns() - (st.st_mtim.tv_sec * NSEC_PER_SEC + st.st_mtim.tv_nsec);
	return age < 0 || age >= LOOK_EVERY_NS;
}

static void note_look(const struct site *site)
{
	cleanup_fd int fd = openat(site->run, STAMP, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)futimens(fd, NULL);
}

/* Whose name is wanted, and has lost its keeper, is in the way. */
static int add_holder(struct store *store, const char *name, char ***ids, struct error *err)
{
	cleanup_record struct record *record = NULL;
	int r = store_load(store, name, &record, err);

	if (r == 0)
		strv_add(ids, record->grant.id);
	return r == -ENOENT ? 0 : r;
}

int site_sweep_in_passing(const struct site *site, struct store *store, const char *name,
			  struct error *err)
{
	cleanup_strv char **due = NULL, **ids = NULL;
	struct sweep_result result = {0};
	int r = find_due(store, &due, err);

	if (r == 0 && is_time_to_look(site)) {
		note_look(site);
		succession_sweep(site, store);
		r = store_list_ids(store, false, &ids, err);
	} else if (r == 0 && name) {
		r = add_holder(store, name, &ids, err);
	}
	if (r < 0)
		return r;
	add_lost(site, ids, &due);
	/* what cannot be removed now is for "stint sweep" to say */
	end_each(site, store, due, false, &result, NULL);
	return 0;
}
