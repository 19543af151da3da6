/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of an install; see depot.h. */
#include "install/depot.h"
#include "install/live.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCK "lock"
#define DESCRIPTION "generation"
#define DESCRIPTION_VERSION 1
#define DESCRIPTION_MAX (1U << 20)

static int take_lock(const char *install, struct depot *depot, struct error *err)
{
	struct stat mine, named;

	depot->lock =
		openat(depot->directory, LOCK, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (depot->lock < 0)
		return depot_cannot(depot, errno, "make a lock", err);
	if (flock(depot->lock, LOCK_EX | LOCK_NB) == 0 && fstat(depot->lock, &mine) == 0 &&
	    fstatat(depot->directory, LOCK, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    mine.st_ino == named.st_ino)
		return 0;
	error_say(err, ERROR_FAILED,
		  "another command is at work on the install '%s'; try again when it is done",
		  install);
	return error_with_code(err, -EBUSY);
}

int depot_open(const char *state_path, const char *install, struct depot *ret_depot,
	       struct error *err)
{
	int r;

	*ret_depot = (struct depot){.directory = -1, .lock = -1};
	ret_depot->path = xasprintf("%s/install/%s", state_path, install);
	r = file_make_directories(AT_FDCWD, ret_depot->path, 0700);
	if (r == 0)
		r = ret_depot->directory = file_open_directory(AT_FDCWD, ret_depot->path);
	if (r < 0)
		return error_set(err, -r, "cannot make '%s'", ret_depot->path);
	return take_lock(install, ret_depot, err);
}

void depot_close(struct depot *depot)
{
	free(steal_ptr(depot->path));
	cleanup_close(&depot->directory);
	cleanup_close(&depot->lock);
}

int depot_cannot(const struct depot *depot, int errnum, const char *what, struct error *err)
{
	return error_set(err, errnum, "cannot %s in '%s'", what, depot->path);
}

void depot_clear(const struct depot *depot, uint32_t number)
{
	cleanup_free char *name = xasprintf("%u", number);

	(void)file_remove_tree(depot->directory, DEPOT_NEW);
	(void)file_remove_tree(depot->directory, name);
}

int depot_take_name(const struct depot *depot, uint32_t number, struct error *err)
{
	cleanup_free char *name = xasprintf("%u", number);

	if (renameat(depot->directory, DEPOT_NEW, depot->directory, name) < 0 ||
	    fsync(depot->directory) < 0)
		return depot_cannot(depot, errno, "name the new generation", err);
	return 0;
}

void depot_forget_live(const struct depot *depot)
{
	(void)unlinkat(depot->directory, LIVE_NAME "/" DESCRIPTION, 0);
}

int depot_describe(const struct depot *depot, int directory, const struct install *install,
		   const struct generation *generation, struct error *err)
{
	cleanup_text struct text bytes = {0};
	int r;

	wire_put_u32(&bytes, DESCRIPTION_VERSION);
	wire_put_string(&bytes, install->name);
	wire_put_strv(&bytes, install->paths);
	wire_put_u64(&bytes, (uint64_t)install->created_ns);
	wire_put_u32(&bytes, generation->number);
	wire_put_string(&bytes, generation->backend);
	wire_put_u64(&bytes, (uint64_t)generation->created_ns);
	wire_put_u64(&bytes, generation->files);
	wire_put_u64(&bytes, generation->bytes);
	r = file_replace_bytes(directory, DESCRIPTION, bytes.data, bytes.length, 0600);
	return r < 0 ? depot_cannot(depot, -r, "describe the generation", err) : 0;
}

int depot_read_description(int directory, struct install *ret_install,
			   struct generation *ret_generation)
{
	cleanup_free char *data = NULL;
	struct wire_reader from = {0};
	struct install install = {0};
	struct generation generation = {0};
	int r = file_read(directory, DESCRIPTION, DESCRIPTION_MAX, &data, &from.left);

	if (r < 0)
		return r;
	from.data = (const uint8_t *)data;
	from.bad = wire_get_u32(&from) != DESCRIPTION_VERSION;
	install.name = wire_get_string(&from);
	install.paths = wire_get_strv(&from);
	install.created_ns = (int64_t)wire_get_u64(&from);
	install.newest = generation.number = wire_get_u32(&from);
	generation.backend = wire_get_string(&from);
	generation.created_ns = (int64_t)wire_get_u64(&from);
	generation.files = wire_get_u64(&from);
	generation.bytes = wire_get_u64(&from);
	if (from.bad || from.left || !install.name || !install.paths[0] || !generation.backend) {
		install_deinit(&install);
		free(generation.backend);
		return -EBADMSG;
	}
	*ret_install = install;
	*ret_generation = generation;
	return 0;
}
