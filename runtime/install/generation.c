/* SPDX-License-Identifier: Apache-2.0 */
/* How a generation is made; see generation.h. */
#include "install/generation.h"
#include "install/candidate.h"
#include "install/depot.h"
#include "install/hash.h"
#include "install/image.h"
#include "install/live.h"
#include "install/newest.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SPARE_BYTES (16U << 20) /* for directories and names */

const char *const backend_names[BACKENDS] = {
	[BACKEND_AUTO] = "auto",
	[BACKEND_COPY] = "copy",
	[BACKEND_REFLINK] = "reflink",
	[BACKEND_EROFS] = "erofs",
};

/* One of the install's paths. */
struct part {
	const char *path;
	int live; /* the directory, open */
	struct manifest manifest;
	struct manifest earlier; /* of the generation before, if it is of any use */
	int earlier_at;
};

struct making {
	const struct adoption *adoption;
	struct install install;
	struct depot depot;
	enum backend backend;
	struct part parts[INSTALL_PATHS_MAX];
	size_t n;
	int directory; /* "new", open */
	struct tree_progress progress;
	struct generation generation;
};

static void making_deinit(struct making *making)
{
	for (size_t i = 0; i < making->n; i++) {
		manifest_deinit(&making->parts[i].manifest);
		manifest_deinit(&making->parts[i].earlier);
		cleanup_close(&making->parts[i].live);
		cleanup_close(&making->parts[i].earlier_at);
	}
	install_deinit(&making->install);
	free(making->generation.backend);
	cleanup_close(&making->directory);
	depot_close(&making->depot);
}

static int load_install(struct making *making, struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(making->adoption->state_path, &store, err);

	return r < 0 ? r
		     : store_install_load(store, making->adoption->install, &making->install, err);
}

/* What was copied for the generation before is shared, unless it lies in an image. */
static void open_earlier(struct making *making, size_t index)
{
	const struct install *install = &making->install;
	cleanup_free char *path =
		xasprintf("%s/%u/%zu", making->depot.path, install->newest, index);
	struct part *part = &making->parts[index];

	if (!install->newest || image_exists(path) ||
	    generation_load_manifest(making->adoption->state_path, install->name, install->newest,
				     index, &part->earlier) < 0)
		return;
	part->earlier_at = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (part->earlier_at < 0)
		manifest_deinit(&part->earlier);
}

static int read_part(struct making *making, size_t index, struct error *err)
{
	struct part *part = &making->parts[index];
	int r;

	part->path = making->install.paths[index];
	part->earlier_at = -1;
	part->live = open(part->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	making->n = index + 1;
	if (part->live < 0)
		return error_set(err, errno, "cannot open install directory '%s'", part->path);
	r = manifest_read_settled(part->live, part->path, making->adoption->cancel, &part->manifest,
				  err);
	if (r < 0)
		return r;
	making->generation.files += part->manifest.files;
	making->generation.bytes += part->manifest.bytes;
	open_earlier(making, index);
	return 0;
}

static int read_parts(struct making *making, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && making->install.paths[i]; i++)
		r = read_part(making, i, err);
	making->progress.total_files = making->generation.files;
	making->progress.total_bytes = making->generation.bytes;
	return r;
}

/* Of what the generation before has is known only by its time that it is as it was. */
static int hash_parts(struct making *making, struct error *err)
{
	struct hashing hashing = {.cancel = making->adoption->cancel,
				  .tell = making->adoption->tell,
				  .data = making->adoption->data};
	int r = 0;

	if (!making->adoption->hash &&
	    !live_is_hashed(making->adoption->state_path, making->install.name))
		return 0;
	for (size_t i = 0; i < making->n; i++)
		hash_count(&making->parts[i].manifest, &hashing);
	for (size_t i = 0; r == 0 && i < making->n; i++)
		r = hash_all(making->parts[i].live, making->parts[i].path,
			     &making->parts[i].manifest, &hashing, err);
	return r;
}

static int choose_backend(struct making *making, struct error *err)
{
	bool possible = true;

	making->backend = making->adoption->backend;
	if (making->backend == BACKEND_COPY)
		return 0;
	if (making->backend == BACKEND_EROFS)
		return image_check(err);
	for (size_t i = 0; i < making->n; i++) {
		const struct part *part = &making->parts[i];

		possible = possible &&
			   (!part->manifest.bytes ||
			    tree_can_reflink(part->live, &part->manifest, making->depot.directory));
	}
	if (making->backend == BACKEND_REFLINK && !possible)
		return error_say(err, ERROR_FAILED,
				 "the file systems of '%s' and '%s' do not share blocks (reflink); "
				 "leave out --backend, or put both on one btrfs or xfs",
				 making->parts[0].path, making->adoption->state_path);
	making->backend = possible && making->generation.bytes ? BACKEND_REFLINK : BACKEND_COPY;
	return 0;
}

/* Of what is not in the generation before. */
static uint64_t bytes_to_write(const struct making *making)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < making->n; i++) {
		const struct part *part = &making->parts[i];

		bytes += part->manifest.bytes;
		for (size_t j = 0; j < part->manifest.n; j++) {
			const struct manifest_entry *now = &part->manifest.list[j];

			if (S_ISREG(now->mode) && now->links == 1 &&
			    manifest_has_already(&part->earlier, now))
				bytes -= now->size;
		}
	}
	return bytes;
}

/* Before anything is written, rather than when all is full. */
static int check_space(const struct making *making, struct error *err)
{
	uint64_t needed, there;
	char wants[32], has[32];
	struct statvfs fs;

	if (making->backend == BACKEND_REFLINK || fstatvfs(making->depot.directory, &fs) < 0)
		return 0;
	needed = bytes_to_write(making) + SPARE_BYTES;
	if (making->backend == BACKEND_EROFS)
		needed += making->generation.bytes;
	there = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (needed <= there)
		return 0;
	format_size(needed, wants, sizeof(wants));
	format_size(there, has, sizeof(has));
	error_say(err, ERROR_FAILED,
		  "a generation of '%s' needs up to %s, and the file system of '%s' has %s left",
		  making->install.name, wants, making->adoption->state_path, has);
	return error_with_code(err, -ENOSPC);
}

static int copy_part(struct making *making, size_t index, struct error *err)
{
	struct part *part = &making->parts[index];
	cleanup_free char *name = xasprintf("%zu", index);
	cleanup_free char *list = xasprintf("%zu.manifest", index);
	cleanup_fd int to = -1;
	struct tree_copy copy = {
		.from = part->live,
		.name = part->path,
		.manifest = &part->manifest,
		.way = making->backend == BACKEND_REFLINK ? TREE_REFLINK : TREE_COPY,
		.earlier = part->earlier.n ? &part->earlier : NULL,
		.earlier_at = part->earlier_at,
		.cancel = making->adoption->cancel,
		.tell = making->adoption->tell,
		.data = making->adoption->data,
		.progress = making->progress,
	};
	int r;

	if (mkdirat(making->directory, name, 0700) < 0)
		return depot_cannot(&making->depot, errno, "make a directory", err);
	to = openat(making->directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return depot_cannot(&making->depot, errno, "open a directory", err);
	copy.to = to;
	r = tree_copy(&copy, err);
	making->progress = copy.progress;
	if (r < 0)
		return r;
	if (making->backend == BACKEND_EROFS)
		r = image_make(making->directory, name, &part->manifest.list[0],
			       making->adoption->cancel, err);
	if (r < 0)
		return r;
	r = manifest_write(making->directory, list, &part->manifest);
	return r < 0 ? depot_cannot(&making->depot, -r, "write a manifest", err) : 0;
}

static int say_changed(const struct part *part, const char *name, struct error *err)
{
	error_say(err, ERROR_FAILED,
		  "'%s%s%s' changed while '%s' was being read; try again when nothing writes there",
		  part->path, *name ? "/" : "", name, part->path);
	return error_with_code(err, -EAGAIN);
}

/* All was read; is it still what was read, as a whole? */
static int check_unchanged(const struct making *making, const struct part *part, struct error *err)
{
	const struct manifest *before = &part->manifest;
	cleanup_manifest struct manifest after = {0};
	int r = manifest_read(part->live, part->path, making->adoption->cancel, &after, err);

	for (size_t i = 0; r == 0 && i < before->n && i < after.n; i++) {
		const struct manifest_entry *a = &before->list[i], *b = &after.list[i];
		int order = strcmp(a->path, b->path);

		if (order != 0 || !manifest_entry_is_untouched(a, b))
			return say_changed(part, order > 0 ? b->path : a->path, err);
	}
	if (r == 0 && before->n != after.n)
		return say_changed(part,
				   (before->n > after.n ? before->list[after.n].path
							: after.list[before->n].path),
				   err);
	return r;
}

static int fill(struct making *making, struct error *err)
{
	int r = 0;

	if (mkdirat(making->depot.directory, DEPOT_NEW, 0700) < 0)
		return depot_cannot(&making->depot, errno, "make a directory", err);
	making->directory =
		openat(making->depot.directory, DEPOT_NEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (making->directory < 0)
		return depot_cannot(&making->depot, errno, "open a directory", err);
	for (size_t i = 0; r == 0 && i < making->n; i++)
		r = copy_part(making, i, err);
	for (size_t i = 0; r == 0 && i < making->n; i++)
		r = check_unchanged(making, &making->parts[i], err);
	return r;
}

/* Now that it is in the store as what it is to be. */
static int enter_generation(const struct making *making, struct store *store, struct error *err)
{
	const char *install = making->install.name;

	return making->adoption->trial
		       ? store_candidate_add(store, install, &making->generation, err)
		       : store_generation_add(store, install, &making->generation, err);
}

static int mark_candidate(const struct making *making, struct error *err)
{
	cleanup_fd int fd = openat(making->directory, CANDIDATE_MARK,
				   O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	return fd < 0 ? depot_cannot(&making->depot, errno, "mark the candidate", err) : 0;
}

/* On disk as a whole before anybody can know of it. */
static int complete(struct making *making, struct error *err)
{
	struct generation *generation = &making->generation;
	cleanup_store struct store *store = NULL;
	int r;

	generation->backend = xstrdup(backend_names[making->backend]);
	generation->created_ns = clock_wall_ns();
	r = depot_describe(&making->depot, making->directory, &making->install, generation, err);
	if (r == 0 && making->adoption->trial)
		r = mark_candidate(making, err);
	if (r == 0 && syncfs(making->directory) < 0)
		r = depot_cannot(&making->depot, errno, "write everything", err);
	if (r == 0)
		r = depot_take_name(&making->depot, generation->number, err);
	if (r == 0)
		r = store_open(making->adoption->state_path, &store, err);
	if (r == 0)
		r = enter_generation(making, store, err);
	if (r == 0 && !making->adoption->trial)
		depot_forget_live(&making->depot);
	return r;
}

/* With the lock there is nobody who still tries it. */
static int drop_abandoned(const struct making *making, struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = making->install.candidate ? store_open(making->adoption->state_path, &store, err)
					  : 0;

	return r < 0 || !store ? r : store_candidate_drop(store, making->install.name, err);
}

/* 1: there is one already. */
static int find_newest(struct making *making, struct error *err)
{
	const struct manifest *manifests[INSTALL_PATHS_MAX];
	struct generation newest;
	int r;

	for (size_t i = 0; i < making->n; i++)
		manifests[i] = &making->parts[i].manifest;
	r = newest_is_same(making->adoption, &making->install, manifests, &newest, err);
	if (r <= 0)
		return r;
	depot_clear(&making->depot, newest.number + 1); /* what was abandoned */
	making->generation = newest;
	return 1;
}

/* 1: there is one already that is the same. */
static int make(struct making *making, struct error *err)
{
	int r = load_install(making, err);

	if (r == 0)
		r = depot_open(making->adoption->state_path, making->install.name, &making->depot,
			       err);
	/* somebody else may have been faster */
	if (r == 0) {
		install_deinit(&making->install);
		r = load_install(making, err);
	}
	if (r == 0)
		r = drop_abandoned(making, err);
	if (r == 0)
		r = read_parts(making, err);
	if (r == 0)
		r = hash_parts(making, err);
	if (r == 0)
		r = find_newest(making, err);
	if (r == 0)
		r = choose_backend(making, err);
	if (r == 0)
		r = check_space(making, err);
	if (r != 0)
		return r;
	making->generation.number = making->install.newest + 1;
	depot_clear(&making->depot, making->generation.number);
	r = fill(making, err);
	if (r == 0)
		r = complete(making, err);
	if (r < 0)
		depot_clear(&making->depot, making->generation.number);
	return r;
}

/* What was made of it is gone. */
static int say_interrupted(const struct making *making, struct error *err)
{
	const struct install *install = &making->install;

	if (install->newest && !install->live)
		error_say(err, ERROR_FAILED,
			  "interrupted; generation %u of '%s' is still the newest", install->newest,
			  install->name);
	return error_with_code(err, -ECANCELED);
}

int generation_make(const struct adoption *adoption, struct depot *ret_depot,
		    struct generation *ret_generation, struct error *err)
{
	struct making making = {
		.adoption = adoption, .directory = -1, .depot = {.directory = -1, .lock = -1}};
	int r = make(&making, err);

	if (r == -ECANCELED)
		say_interrupted(&making, err);
	if (r >= 0) {
		*ret_generation = making.generation;
		making.generation.backend = NULL;
	}
	if (r == 0 && ret_depot) {
		*ret_depot = making.depot;
		making.depot = (struct depot){.directory = -1, .lock = -1};
	}
	making_deinit(&making);
	return r;
}

int generation_adopt(const struct adoption *adoption, struct generation *ret_generation,
		     struct error *err)
{
	return generation_make(adoption, NULL, ret_generation, err);
}
