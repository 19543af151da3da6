/* SPDX-License-Identifier: Apache-2.0 */
/* One file of a copied tree: its contents and what is said about it; for tree.c. */
#ifndef INSTALL_TREE_FILE_H
#define INSTALL_TREE_FILE_H

#include "install/manifest.h"

/* All return 0 or a negative errno. */

/* Shares the blocks of from. */
int tree_file_clone(int from, int to);

/* Copies size bytes; what is a hole stays one. -ECANCELED once cancel (-1: never) is readable. */
int tree_file_copy(int from, int to, uint64_t size, int cancel);

/*
 * Gives an open file or directory owner, mode, times and extended attributes. -EOPNOTSUPP when the
 * file system of to cannot keep an attribute; -EUCLEAN for one that means something to overlayfs.
 */
int tree_file_attributes(int from, int to, const struct manifest_entry *entry);

/* Gives what is not opened, at its path below to, owner, mode and times. */
int tree_file_owner(int to, const struct manifest_entry *entry);

#endif
