/* SPDX-License-Identifier: Apache-2.0 */
/* Live installs; see live.h. */
#include "install/live.h"
#include "install/depot.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HASH_MARK "hash"

void live_deinit(struct live *live)
{
	for (size_t i = 0; i < live->n; i++)
		manifest_deinit(&live->list[i]);
	live->n = 0;
}

static int read_one(const char *path, struct manifest *ret_manifest, struct error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		*ret_manifest = (struct manifest){.taken_ns = clock_wall_ns()};
		return 0;
	}
	if (fd < 0)
		return error_set(err, errno, "cannot open install directory '%s'", path);
	return manifest_read_settled(fd, path, -1, ret_manifest, err);
}

static int hash_path(const char *path, struct live_look *look, struct manifest *manifest,
		     struct error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	manifest->hashed = true;
	if (fd < 0)
		return 0;
	r = hash_all(fd, path, manifest, &look->hashing, err);
	return look->known && r != -ECANCELED ? 0 : r;
}

static int hash_live(const struct install *install, struct live_look *look, struct live *live,
		     struct error *err)
{
	const struct live *known = look->known;
	int r = 0;

	for (size_t i = 0; i < live->n; i++) {
		hash_take_over(&live->list[i], known && i < known->n ? &known->list[i] : NULL);
		hash_count(&live->list[i], &look->hashing);
	}
	for (size_t i = 0; r == 0 && i < live->n && install->paths[i]; i++)
		r = hash_path(install->paths[i], look, &live->list[i], err);
	return r;
}

int live_read(const struct install *install, struct live_look *look, struct live *ret_live,
	      struct error *err)
{
	struct live live = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && install->paths[i] && i < INSTALL_PATHS_MAX; i++) {
		r = read_one(install->paths[i], &live.list[i], err);
		live.n += r == 0;
	}
	if (r == 0 && look->hash)
		r = hash_live(install, look, &live, err);
	if (r < 0)
		live_deinit(&live);
	else
		*ret_live = live;
	return r;
}

static char *place_of(const char *state_path, const struct install *install)
{
	return xasprintf("%s/install/%s/" LIVE_NAME, state_path, install->name);
}

static int load_one(const char *place, size_t index, const char *what,
		    struct manifest *ret_manifest)
{
	cleanup_free char *path = xasprintf("%s/%zu.%s", place, index, what);

	return manifest_load(AT_FDCWD, path, ret_manifest);
}

int live_load(const char *state_path, const struct install *install, struct live *ret_live)
{
	cleanup_free char *place = place_of(state_path, install);
	struct live live = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && install->paths[i] && i < INSTALL_PATHS_MAX; i++) {
		r = load_one(place, i, "manifest", &live.list[i]);
		live.n += r == 0;
	}
	if (r < 0)
		live_deinit(&live);
	else
		*ret_live = live;
	return r;
}

/* A reader sees the old one or the new one. */
static int replace(int directory, size_t index, const char *what, const struct manifest *manifest)
{
	cleanup_free char *name = xasprintf("%zu.%s", index, what);
	cleanup_free char *made = xasprintf("%zu.%s.new", index, what);
	int r;

	if (unlinkat(directory, made, 0) < 0 && errno != ENOENT)
		return -errno;
	r = manifest_write(directory, made, manifest);
	if (r == 0 && renameat(directory, made, directory, name) < 0)
		r = -errno;
	return r;
}

/* Directories before files: what is seen from them alone must not be newer than the whole. */
static int save_one(int directory, size_t index, const struct manifest *manifest)
{
	cleanup_free struct manifest_entry *list = xcalloc(manifest->n + 1, sizeof(*list));
	struct manifest directories = {.list = list, .taken_ns = manifest->taken_ns};
	int r;

	for (size_t i = 0; i < manifest->n; i++)
		if (S_ISDIR(manifest->list[i].mode))
			list[directories.n++] = manifest->list[i];
	r = replace(directory, index, "directories", &directories);
	return r < 0 ? r : replace(directory, index, "manifest", manifest);
}

int live_save(const char *state_path, const struct install *install, const struct live *live,
	      struct error *err)
{
	cleanup_free char *place = place_of(state_path, install);
	int r = file_make_directories(AT_FDCWD, place, 0700);
	cleanup_fd int directory = r < 0 ? r : file_open_directory(AT_FDCWD, place);

	if (directory < 0)
		return error_set(err, -directory, "cannot open '%s'", place);
	for (size_t i = 0; r == 0 && i < live->n; i++)
		r = save_one(directory, i, &live->list[i]);
	return r < 0 ? error_set(err, -r, "cannot write a manifest in '%s'", place) : 0;
}

bool live_differs_in_hashes(const struct live *a, const struct live *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (a->list[i].hashed != b->list[i].hashed)
			return true;
	return false;
}

bool live_is_same(const struct live *a, const struct live *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (a->list[i].taken_ns != b->list[i].taken_ns)
			return false;
	return a->n == b->n;
}

static bool is_as_it_was(const char *root, const struct manifest_entry *entry)
{
	cleanup_free char *path = xasprintf("%s/%s", root, entry->path);
	struct manifest_entry now = {0};
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	manifest_entry_set(&now, &st);
	return manifest_entry_is_untouched(entry, &now);
}

bool live_directories_changed(const char *state_path, const struct install *install)
{
	cleanup_free char *place = place_of(state_path, install);
	bool changed = false;

	for (size_t i = 0; !changed && install->paths[i]; i++) {
		cleanup_manifest struct manifest manifest = {0};

		changed = load_one(place, i, "directories", &manifest) < 0;
		for (size_t j = 0; !changed && j < manifest.n; j++)
			changed = !is_as_it_was(install->paths[i], &manifest.list[j]);
	}
	return changed;
}

/* What was added to a directory or removed from it is named itself. */
static bool is_unchanged(const struct manifest_entry *a, const struct manifest_entry *b)
{
	return S_ISDIR(a->mode) && S_ISDIR(b->mode) ? manifest_entry_looks_same(a, b)
						    : manifest_entry_is_untouched(a, b);
}

void live_compare(const struct install *install, const struct live *from, const struct live *to,
		  struct change_list *changes)
{
	for (size_t i = 0; i < from->n && i < to->n; i++)
		manifests_compare(&from->list[i], &to->list[i], install->paths[i], is_unchanged,
				  changes);
}

static int mark(int directory, bool hash)
{
	cleanup_fd int fd = -1;

	if (!hash)
		return unlinkat(directory, HASH_MARK, 0) < 0 && errno != ENOENT ? -errno : 0;
	fd = openat(directory, HASH_MARK, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : 0;
}

/* The directory in which it is written down that it is live. */
static int describe(const char *state_path, const struct depot *depot,
		    const struct install *install, bool hash, struct error *err)
{
	const struct generation live = {.backend = (char *)LIVE_NAME,
					.created_ns = clock_wall_ns()};
	cleanup_free char *place = place_of(state_path, install);
	int r = file_make_directories(AT_FDCWD, place, 0700);
	cleanup_fd int directory = r < 0 ? r : file_open_directory(AT_FDCWD, place);

	if (directory < 0)
		return error_set(err, -directory, "cannot make '%s'", place);
	r = mark(directory, hash);
	if (r < 0)
		return error_set(err, -r, "cannot note in '%s' how to look", place);
	return depot_describe(depot, directory, install, &live, err);
}

bool live_is_hashed(const char *state_path, const char *name)
{
	cleanup_free char *path =
		xasprintf("%s/install/%s/" LIVE_NAME "/" HASH_MARK, state_path, name);

	return access(path, F_OK) == 0;
}

static int switch_locked(const char *state_path, const char *name, struct install *install,
			 bool hash, struct error *err)
{
	cleanup_store struct store *store = NULL;
	struct depot depot = {.directory = -1, .lock = -1};
	int r = depot_open(state_path, name, &depot, err);

	if (r == 0)
		r = describe(state_path, &depot, install, hash, err);
	if (r == 0)
		r = store_open(state_path, &store, err);
	if (r == 0)
		r = store_install_set_live(store, name, err);
	depot_close(&depot);
	return r;
}

static int load(const char *state_path, const char *name, struct install *ret_install,
		struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(state_path, &store, err);

	return r < 0 ? r : store_install_load(store, name, ret_install, err);
}

int live_switch(const char *state_path, const char *name, struct live_look *look,
		struct live *ret_live, struct error *err)
{
	cleanup_live struct live live = {0};
	struct install install = {0};
	int r = load(state_path, name, &install, err);

	if (r == 0)
		r = live_read(&install, look, &live, err);
	if (r == 0)
		r = switch_locked(state_path, name, &install, look->hash, err);
	install_deinit(&install);
	if (r < 0)
		return r;
	*ret_live = live;
	live = (struct live){0};
	return 0;
}

static int enter(const char *state_path, const struct install *install, struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(state_path, &store, err);

	return r < 0 ? r : store_install_add(store, install, err);
}

int live_create(const char *state_path, const char *name, char *const *paths,
		struct live_look *look, struct live *ret_live, struct error *err)
{
	struct install install = {.name = (char *)name,
				  .paths = (char **)paths,
				  .created_ns = clock_wall_ns(),
				  .live = true};
	cleanup_live struct live live = {0};
	int r = live_read(&install, look, &live, err);

	if (r == 0)
		r = enter(state_path, &install, err);
	if (r < 0)
		return r;
	r = switch_locked(state_path, name, &install, look->hash, err);
	if (r < 0) {
		(void)install_remove(state_path, name, NULL);
		return r;
	}
	*ret_live = live;
	live = (struct live){0};
	return 0;
}
