/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes in a manifest: what is in each regular file, for who does not trust what the file system
 * says of its changes. Reading everything takes its time, so what a file is known to hold is taken
 * over where nothing seems to have touched it, unless all is to be read.
 */
#ifndef INSTALL_HASH_H
#define INSTALL_HASH_H

#include "install/tree.h"

struct hashing {
	int cancel; /* readable once it is to stop; -1: never */
	void (*tell)(const struct tree_progress *progress, void *data); /* NULL: nobody listens */
	void *data;
	struct tree_progress progress; /* of all that is hashed together; zero-initialised */
};

/* Before any is hashed: takes over the hashes of files that look untouched. known may be NULL. */
void hash_take_over(struct manifest *manifest, const struct manifest *known);

/* Adds the files of the manifest that have no hash yet to what is to be done. */
void hash_count(const struct manifest *manifest, struct hashing *hashing);

/*
 * Hashes those, as they are now below the open directory. A file that is not there any more is left
 * without one: its name tells. One that cannot be read is left out as well, and said at the end.
 * -ECANCELED when told to stop; ERROR_FAILED without libnettle.
 */
int hash_all(int directory, const char *name, struct manifest *manifest, struct hashing *hashing,
	     struct error *err);

#endif
