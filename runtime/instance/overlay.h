/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The marks that an overlay leaves in its upper directory (kernel: overlayfs.rst). Objects are
 * given by O_PATH descriptors. An unreadable mark is none.
 */
#ifndef INSTANCE_OVERLAY_H
#define INSTANCE_OVERLAY_H

#include <stdbool.h>
#include <sys/stat.h>

/* A character device 0:0, or an empty file with trusted.overlay.whiteout. */
bool overlay_is_whiteout(int fd, const struct stat *st);

/* Nothing of the lower directory shows through. */
bool overlay_is_opaque(int fd);

/*
 * Where a directory that was renamed has its lower: a path from the overlay's root when it begins
 * with '/', else a name in the lower directory of its parent. NULL: not renamed. The caller frees.
 */
char *overlay_redirect(int fd);

#endif
