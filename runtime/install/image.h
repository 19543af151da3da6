/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of a directory as an image of EROFS: nobody can change it, root neither. Beside the image
 * an empty directory of the same owner, mode and attributes stands for it.
 */
#ifndef INSTALL_IMAGE_H
#define INSTALL_IMAGE_H

#include "install/manifest.h"

/* Whether this host can make and mount one; ERROR_FAILED says what is missing. */
int image_check(struct error *err);

/*
 * Turns the copy of that name in the open directory into NAME.erofs, and leaves it empty. top: the
 * entry of the directory itself. -ECANCELED once cancel (-1: never) is readable.
 */
int image_make(int directory, const char *name, const struct manifest_entry *top, int cancel,
	       struct error *err);

/*
 * The block device that has the image beside that directory, open; all who ask get the same one
 * while it is in use. -ENOENT, and no error, when there is no image.
 */
int image_open(const char *path, struct error *err);

/* True when there is one. */
bool image_exists(const char *path);

#endif
