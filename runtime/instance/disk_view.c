/* SPDX-License-Identifier: Apache-2.0 */
/* Where an instance sees its pool; see disk.h. In the command that starts it. */
#include "instance/disk.h"
#include "base/cleanup.h"
#include "base/text.h"

/* A path of the pool as init finds it: from the pool, or from the host's root. */
static char *inside_path(const struct site *site, const struct record *record, const char *name)
{
	const char *path = disk_path(record);

	if (!path)
		return xstrdup(name);
	return xasprintf("%s/i/%s/%s%s%s", site->state_path, record->grant.id, path,
			 *path ? "/" : "", name);
}

void disk_fill_input(const struct site *site, const struct record *record,
		     struct rootfs_input *input)
{
	struct disk_shares shares = {0};

	if (record->disk)
		disk_share(record->disk_bytes, &shares);
	input->layers = inside_path(site, record, ROOT_LAYER_PLACE);
	input->scratch = record->disk ? inside_path(site, record, ROOT_SCRATCH_PLACE) : NULL;
	input->in_pool = disk_is_detached(record);
	input->root_size = shares.root;
	input->shm_size = shares.shm;
}

int disk_make_scratch(int pool, const struct root_ops *ops, struct error *err)
{
	for (size_t i = 0; i < ops->n; i++) {
		int r = ops->list[i].flags & ROOT_SCRATCH ? root_make_scratch(pool, &ops->list[i])
							  : 0;

		if (r < 0)
			return error_set(err, -r, "cannot make a place for '%s'",
					 ops->list[i].target);
	}
	return 0;
}
