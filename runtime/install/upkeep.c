/* SPDX-License-Identifier: Apache-2.0 */
/* How installs come, and how generations are found and go; see generation.h. */
#include "install/generation.h"
#include "install/depot.h"
#include "install/live.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "store/taints.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *generation_lower_path(const char *state_path, const char *lower)
{
	const char *number = strchr(lower, '/');

	if (!number || strncmp(number, "/0/", 3) == 0)
		return NULL;
	return xasprintf("%s/install/%s", state_path, lower);
}

int generation_load_manifest(const char *state_path, const char *install, uint32_t number,
			     size_t index, struct manifest *ret_manifest)
{
	cleanup_free char *path =
		xasprintf("%s/install/%s/%u/%zu.manifest", state_path, install, number, index);

	return manifest_load(AT_FDCWD, path, ret_manifest);
}

static bool is_listed(const struct generation *generations, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *number = xasprintf("%u", generations[i].number);

		if (strcmp(number, name) == 0)
			return true;
	}
	return false;
}

/* Everything but the lock, what is listed and, if live, what is kept of the live directories. */
static void clean(const struct depot *depot, const struct generation *generations, size_t n,
		  bool live)
{
	int fd = openat(depot->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "lock") != 0 &&
		    !(live && strcmp(entry->d_name, LIVE_NAME) == 0) &&
		    !is_listed(generations, n, entry->d_name))
			(void)file_remove_tree(depot->directory, entry->d_name);
}

static int clean_by_store(const struct depot *depot, struct store *store, const char *install,
			  struct error *err)
{
	struct generation *generations = NULL;
	uint32_t on_live = 0, tainted = 0;
	struct install known = {0};
	size_t n = 0;
	int r = store_generation_list(store, install, &generations, &n, err);

	if (r == 0)
		r = store_install_load(store, install, &known, err);
	if (r == 0)
		r = store_live_count(store, install, &on_live, &tainted, err);
	if (r == 0)
		clean(depot, generations, n, known.live || on_live);
	install_deinit(&known);
	generation_list_free(generations, n);
	return r;
}

/* An install that the store knows, with its lock. The caller ends both. */
static int open_known(const char *state_path, const char *install, struct store **ret_store,
		      struct depot *ret_depot, struct error *err)
{
	struct install known = {0};
	int r = store_open(state_path, ret_store, err);

	*ret_depot = (struct depot){.directory = -1, .lock = -1};
	if (r == 0)
		r = store_install_load(*ret_store, install, &known, err);
	install_deinit(&known);
	return r < 0 ? r : depot_open(state_path, install, ret_depot, err);
}

int generation_prune(const char *state_path, const char *install, int64_t replaced_before_ns,
		     struct error *err)
{
	cleanup_store struct store *store = NULL;
	struct depot depot;
	int r = open_known(state_path, install, &store, &depot, err);

	if (r == 0)
		r = store_generation_prune(store, install, replaced_before_ns, err);
	if (r == 0)
		r = clean_by_store(&depot, store, install, err);
	depot_close(&depot);
	return r;
}

/* The lock goes with its directory: who waits for it then finds that it is no more. */
static int remove_depot(const char *state_path, const struct depot *depot, const char *name,
			struct error *err)
{
	cleanup_free char *parent_path = xasprintf("%s/install", state_path);
	cleanup_fd int parent = file_open_directory(AT_FDCWD, parent_path);
	int r = parent < 0 ? parent : file_remove_tree(parent, name);

	return r < 0 ? error_set(err, -r, "cannot remove '%s'", depot->path) : 0;
}

static int enter(const struct adoption *adoption, char *const *paths, struct error *err)
{
	struct install install = {.name = (char *)adoption->install,
				  .paths = (char **)paths,
				  .created_ns = clock_wall_ns()};
	cleanup_store struct store *store = NULL;
	int r = store_open(adoption->state_path, &store, err);

	return r < 0 ? r : store_install_add(store, &install, err);
}

int install_create(const struct adoption *adoption, char *const *paths,
		   struct generation *ret_generation, struct error *err)
{
	int r = enter(adoption, paths, err);

	if (r < 0)
		return r;
	r = generation_adopt(adoption, ret_generation, err);
	if (r < 0)
		(void)install_remove(adoption->state_path, adoption->install, NULL);
	return r;
}

int install_remove(const char *state_path, const char *name, struct error *err)
{
	cleanup_store struct store *store = NULL;
	struct depot depot;
	int r = open_known(state_path, name, &store, &depot, err);

	if (r == 0)
		r = store_install_remove(store, name, err);
	if (r == 0)
		r = remove_depot(state_path, &depot, name, err);
	depot_close(&depot);
	return r;
}

/* What was never complete is as if it had not been begun. */
static void sweep_one(const char *state_path, struct store *store, const char *name)
{
	struct install install = {0};
	struct depot depot = {.directory = -1, .lock = -1};

	if (depot_open(state_path, name, &depot, NULL) == 0 &&
	    store_install_load(store, name, &install, NULL) == 0) {
		/* whoever was trying it would have the lock */
		if (install.candidate)
			(void)store_candidate_drop(store, name, NULL);
		if (install.newest || install.live) {
			(void)store_generation_prune(store, name,
						     clock_wall_ns() - GENERATION_GRACE_NS, NULL);
			(void)clean_by_store(&depot, store, name, NULL);
		} else if (store_install_remove(store, name, NULL) == 0) {
			(void)remove_depot(state_path, &depot, name, NULL);
		}
	}
	install_deinit(&install);
	depot_close(&depot);
}

static int compare_numbers(const void *a, const void *b)
{
	const struct generation *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* All complete generations of a directory; ret_install is that of the last one. */
static size_t read_descriptions(const struct depot *depot, struct install *ret_install,
				struct generation **ret_generations)
{
	int fd = openat(depot->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct generation *generations = NULL;
	struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir))) {
		cleanup_fd int directory = -1;
		struct generation generation;
		struct install install;
		uint64_t number;

		if (parse_number(entry->d_name, UINT32_MAX, &number) < 0 || !number)
			continue;
		directory = openat(depot->directory, entry->d_name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (directory < 0 || faccessat(directory, CANDIDATE_MARK, F_OK, 0) == 0 ||
		    depot_read_description(directory, &install, &generation) < 0)
			continue;
		generations = xrealloc(generations, n + 1, sizeof(*generations));
		generations[n++] = generation;
		if (install.newest > ret_install->newest) {
			install_deinit(ret_install);
			*ret_install = install;
		} else {
			install_deinit(&install);
		}
	}
	if (n)
		qsort(generations, n, sizeof(*generations), compare_numbers);
	*ret_generations = generations;
	return n;
}

/* That it was live, and what it is when it has no generation. */
static void read_live_description(const struct depot *depot, struct install *install)
{
	cleanup_fd int directory = openat(depot->directory, LIVE_NAME,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct generation generation;
	struct install live;

	if (directory < 0 || depot_read_description(directory, &live, &generation) < 0)
		return;
	free(generation.backend);
	if (install->name) {
		install_deinit(&live);
	} else {
		*install = live;
		install->newest = 0;
	}
	install->live = true;
}

/* A store that was lost is no reason to lose what instances are on. */
static void restore_one(const char *state_path, struct store *store, const char *name)
{
	struct install install = {0};
	struct generation *generations = NULL;
	struct depot depot = {.directory = -1, .lock = -1};
	size_t n = 0;

	if (depot_open(state_path, name, &depot, NULL) == 0) {
		n = read_descriptions(&depot, &install, &generations);
		read_live_description(&depot, &install);
		if (install.name && strcmp(install.name, name) == 0)
			(void)store_install_restore(store, &install, generations, n, NULL);
		else if (!n && !install.live)
			(void)remove_depot(state_path, &depot, name, NULL);
	}
	install_deinit(&install);
	generation_list_free(generations, n);
	depot_close(&depot);
}

static bool is_known(const struct install *installs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(installs[i].name, name) == 0)
			return true;
	return false;
}

void generations_restore(const char *state_path, struct store *store)
{
	cleanup_free char *path = xasprintf("%s/install", state_path);
	cleanup_dir DIR *dir = opendir(path);
	struct install *installs = NULL;
	struct dirent *entry;
	size_t n = 0;

	if (!dir || store_install_list(store, &installs, &n, NULL) < 0)
		return;
	while ((entry = readdir(dir)))
		if (is_valid_name(entry->d_name) && !is_known(installs, n, entry->d_name))
			restore_one(state_path, store, entry->d_name);
	install_list_free(installs, n);
}

void generations_sweep(const char *state_path, struct store *store)
{
	struct install *installs = NULL;
	size_t n = 0;

	generations_restore(state_path, store);
	if (store_install_list(store, &installs, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		sweep_one(state_path, store, installs[i].name);
	install_list_free(installs, n);
}

static bool is_unfinished(const char *state_path, const char *name)
{
	cleanup_free char *path = xasprintf("%s/install/%s/" DEPOT_NEW, state_path, name);
	struct depot depot;
	bool is_free;

	/* the lock is taken only where there is something: others would find it held */
	if (!is_valid_name(name) || access(path, F_OK) < 0)
		return false;
	is_free = depot_open(state_path, name, &depot, NULL) == 0;
	depot_close(&depot);
	return is_free;
}

unsigned generations_unfinished(const char *state_path, void (*found)(const char *path, void *data),
				void *data)
{
	cleanup_free char *directory = xasprintf("%s/install", state_path);
	cleanup_dir DIR *dir = opendir(directory);
	struct dirent *entry;
	unsigned n = 0;

	while (dir && (entry = readdir(dir))) {
		cleanup_free char *path = NULL;

		if (!is_unfinished(state_path, entry->d_name))
			continue;
		n++;
		path = xasprintf("%s/%s/" DEPOT_NEW, directory, entry->d_name);
		if (found)
			found(path, data);
	}
	return n;
}
