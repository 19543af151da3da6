/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small pool in memory: a tmpfs of its own, made detached, which ends with its last user. What
 * is in it counts in the memory limit of the instance, so it never takes more than half of that.
 */
#include "instance/disk_backend.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/userns.h"
#include "rootfs/mount.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mount.h>

#define POOL_MAX (64ULL << 20)

static int make(uint64_t pool)
{
	cleanup_free char *options =
		xasprintf("mode=0700,size=%" PRIu64 ",nr_inodes=%" PRIu64, pool, disk_inodes(pool));

	return mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* Since Linux 6.3. */
static bool can_map_owners(const struct site *site)
{
	const struct userns_map map = {.base = site->admission.ids.first};
	cleanup_fd int mount = make(DISK_MIN);
	cleanup_fd int userns = -1;

	return mount >= 0 && userns_make(&map, &map, &userns, NULL) == 0 &&
	       mount_idmap(mount, userns, 0) == 0;
}

static int offer(const struct disk_question *question, struct error *err)
{
	if (question->lasting)
		return error_say(err, ERROR_REFUSED, "what is in memory cannot be kept");
	if (question->pool > POOL_MAX)
		return error_say(err, ERROR_REFUSED, "too large for memory");
	if (question->memory && question->pool > question->memory / 2)
		return error_say(err, ERROR_REFUSED, "too large for the limit of memory");
	if (question->own_ids && !can_map_owners(question->site))
		return error_say(err, ERROR_REFUSED,
				 "this kernel cannot map the owners of a file system in memory");
	return 0;
}

static int make_pool(uint64_t pool, int *ret_pool, struct error *err)
{
	int mount = make(pool);

	if (mount < 0)
		return error_set(err, -mount, "cannot make a tmpfs for what the instance writes");
	*ret_pool = mount;
	return 0;
}

static int prepare(const struct record *record, int state, uint64_t pool, int *ret_pool,
		   struct error *err)
{
	(void)record;
	(void)state;
	return make_pool(pool, ret_pool, err);
}

/* The old one goes with those who have it open. */
static int renew(int pool, uint64_t size, int *ret_pool, struct error *err)
{
	(void)pool;
	return make_pool(size, ret_pool, err);
}

static int undo(const struct site *site, const struct record *record, struct error *err)
{
	(void)site;
	(void)record;
	(void)err;
	return 0;
}

const struct disk_backend disk_tmpfs = {
	.name = "tmpfs",
	.words = "a file system in memory, which counts in the memory limit",
	.offer = offer,
	.prepare = prepare,
	.renew = renew,
	.undo = undo,
	.read = disk_read_statfs,
};
