/* SPDX-License-Identifier: Apache-2.0 */
/* A new store from what is on the host; see rebuild.h. In "stint doctor". */
#include "instance/rebuild.h"
#include "instance/instance.h"
#include "instance/lock.h"
#include "instance/start.h"
#include "instance/record_file.h"
#include "store/zones.h"
#include "base/cleanup.h"
#include "install/generation.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static const char *const store_files[] = {"store.db", "store.db-wal", "store.db-shm"};

static int set_aside(const struct site *site, struct rebuild_result *result, struct error *err)
{
	long long now = clock_wall_ns() / NSEC_PER_SEC;

	for (size_t i = 0; i < ARRAY_SIZE(store_files); i++) {
		cleanup_free char *name = xasprintf("%s.damaged-%lld", store_files[i], now);

		if (renameat(site->state, store_files[i], site->state, name) < 0 && errno != ENOENT)
			return error_set(err, errno, "cannot rename '%s/%s'", site->state_path,
					 store_files[i]);
	}
	result->set_aside = xasprintf("%s/store.db.damaged-%lld", site->state_path, now);
	return 0;
}

/* One that is known, or has ended: nothing to do. */
static bool is_wanted(const struct site *site, struct store *store, const struct record *record,
		      bool all)
{
	cleanup_record struct record *known = NULL;

	if (!all && !record->kept_until_ns && !instance_is_alive(site, record->grant.id))
		return false;
	return store_load_id(store, record->grant.id, &known, NULL) == -ENOENT;
}

static void enter(const struct site *site, struct store *store, const char *id,
		  struct rebuild_result *result)
{
	cleanup_record struct record *record = NULL;
	struct zone zone = {0};
	struct error err = {0};
	int r = record_file_read(site, id, &record, &zone, &err);

	if (r == 0 && is_wanted(site, store, record, result->set_aside)) {
		r = store_zone_restore(store, &zone, &err);
		if (r == 0)
			r = store_restore(store, record, &err);
		if (r == 0)
			strv_add(&result->back, record->grant.name);
	}
	if (r < 0 && (result->set_aside || r != -ENOENT)) {
		cleanup_free char *line = xasprintf("%s: %s", id, err.text);

		strv_add(&result->lost, line);
	}
	zone_deinit(&zone);
}

static int enter_all(const struct site *site, struct store *store, struct rebuild_result *result,
		     struct error *err)
{
	int fd = file_open_directory(site->state, "i");
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return error_set(err, fd < 0 ? -fd : errno, "cannot open '%s/i'", site->state_path);
	generations_restore(site->state_path, store);
	while ((entry = readdir(dir)))
		if (is_id(entry->d_name))
			enter(site, store, entry->d_name, result);
	return 0;
}

int rebuild_store(const struct site *site, struct rebuild_result *ret_result, struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_check(site->state_path, err);

	*ret_result = (struct rebuild_result){0};
	if (r == -EUCLEAN)
		r = set_aside(site, ret_result, err);
	if (r == 0)
		r = store_open(site->state_path, &store, err);
	return r < 0 ? r : enter_all(site, store, ret_result, err);
}

bool rebuild_readmit(const struct site *site, const char *id)
{
	cleanup_store struct store *store = NULL;
	struct rebuild_result result = {0};
	bool back;

	if (store_open(site->state_path, &store, NULL) == 0)
		enter(site, store, id, &result);
	back = result.back;
	rebuild_result_deinit(&result);
	return back;
}

void rebuild_result_deinit(struct rebuild_result *result)
{
	free(result->set_aside);
	strv_free(result->back);
	strv_free(result->lost);
	*result = (struct rebuild_result){0};
}
