/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instance changed against its install: the upper directories of its overlays, read on the
 * host, against their lowers. The overlay's marks are those of the kernel's
 * Documentation/filesystems/overlayfs.rst: whiteouts, opaque directories, redirects. Reading them
 * needs root.
 */
#ifndef INSTANCE_DIFF_H
#define INSTANCE_DIFF_H

#include "instance/site.h"

enum diff_kind {
	DIFF_ADDED = 'A',
	DIFF_CHANGED = 'C', /* content, kind, mode or owner; a directory: mode or owner */
	DIFF_DELETED = 'D',
	DIFF_RENAMED = 'R', /* only directories: a renamed file is one deleted and one added */
};

struct diff_entry {
	enum diff_kind kind;
	char *path; /* absolute, as seen inside */
	char *from; /* of DIFF_RENAMED, else NULL */
};

struct diff {
	struct diff_entry *list;
	size_t n, size;
};

/*
 * Adds what the upper says against the lower (both directories), in no order; prefix is where the
 * instance sees it. Works while the instance writes: what vanishes meanwhile is left out. The
 * caller ends diff with diff_deinit also after a failure.
 */
int diff_layer(int upper, int lower, const char *prefix, struct diff *diff, struct error *err);

/* All layers of an instance, sorted by path. pool: what it writes (disk.h), open. */
int diff_instance(const struct site *site, int pool, const struct record *record,
		  struct diff *ret_diff, struct error *err);

void diff_sort(struct diff *diff);
void diff_deinit(struct diff *diff);
#define cleanup_diff cleanup(diff_deinit)

#endif
