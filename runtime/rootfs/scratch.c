/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of a pool that an instance writes into; see inside.h. In commands and the keeper. */
#include "rootfs/inside.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int root_make_scratch(int pool, const struct root_op *op)
{
	cleanup_free char *path = xasprintf(ROOT_SCRATCH_PLACE "%s", op->target);
	int r = file_make_directories(pool, path, 0755);

	if (r < 0)
		return r;
	if (fchownat(pool, path, op->uid, op->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(pool, path, op->mode, 0) < 0)
		return -errno;
	return 0;
}

/* The upper's top directory is what the inside sees as the install's: owner and mode are copied. */
int root_make_layer(int pool, const char *layer, const char *lower, const char **ret_part)
{
	static const char *const parts[] = {"upper", "work"};
	struct stat st;

	*ret_part = parts[0];
	if (stat(lower, &st) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		cleanup_free char *path = xasprintf(ROOT_LAYER_PLACE "/%s/%s", layer, parts[i]);
		int r = file_make_directories(pool, path, 0700);

		*ret_part = parts[i];
		if (r < 0)
			return r;
		if (i == 0 && (fchownat(pool, path, st.st_uid, st.st_gid, 0) < 0 ||
			       fchmodat(pool, path, st.st_mode & 07777, 0) < 0))
			return -errno;
	}
	return 0;
}
