/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A manifest: what lies in a directory at one moment, name by name, without what is in the files.
 * Two manifests tell whether something has changed, because the kernel sets the time of a change
 * (ctime) and nobody else can. On request it has hashes of what is in the files as well (hash.h).
 */
#ifndef INSTALL_MANIFEST_H
#define INSTALL_MANIFEST_H

#include "base/digest.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct manifest_entry {
	char *path; /* below the directory, any bytes; "": the directory itself */
	char *link; /* what a symbolic link says, else NULL */
	uint32_t mode, uid, gid, links;
	uint64_t size, device, inode, special; /* special: the number of a device file */
	int64_t mtime_ns, ctime_ns;
	bool hashed; /* of a regular file: its hash is known */
	uint8_t hash[DIGEST_SIZE];
};

/* Sorted by path: what lies in a directory comes behind it. */
struct manifest {
	struct manifest_entry *list;
	size_t n;
	uint64_t files, bytes; /* regular files, each inode once, and what they hold */
	int64_t taken_ns;      /* wall clock, before anything was looked at */
	bool hashed;	       /* hashes were asked for */
};

/*
 * Reads the tree below the open directory, without what is in its files. Refused, with a sentence
 * that has the path: what an instance could not see as it is (another file system or subvolume
 * mounted below, a whiteout of overlayfs, a path of more than 4095 bytes). -ECANCELED once cancel
 * (-1: never) is readable. name stands for the directory in errors.
 */
int manifest_read(int directory, const char *name, int cancel, struct manifest *ret_manifest,
		  struct error *err);
/* The same, and again a moment later while it is not settled: at most three times. */
int manifest_read_settled(int directory, const char *name, int cancel,
			  struct manifest *ret_manifest, struct error *err);
void manifest_deinit(struct manifest *manifest);
#define cleanup_manifest cleanup(manifest_deinit)

/* The entry of that path, or NULL. */
const struct manifest_entry *manifest_find(const struct manifest *manifest, const char *path);

/* The fields of an entry from its status. */
void manifest_entry_set(struct manifest_entry *entry, const struct stat *st);

/*
 * The kernel's clock of changes ticks every few milliseconds: what changed just before it was
 * looked at may have changed again in the same tick. True when that can be said of no entry, or of
 * one.
 */
bool manifest_is_settled(const struct manifest *manifest);
bool manifest_entry_is_settled(const struct manifest *manifest, const struct manifest_entry *entry);

/* True when nothing has touched it between the two, not even to put it back as it was. With a hash
 * in both, that is the same too.
 */
bool manifest_entry_is_untouched(const struct manifest_entry *a, const struct manifest_entry *b);

/* True when both look the same from inside: kind, mode, owner, size, time, link; as above. */
bool manifest_entry_looks_same(const struct manifest_entry *a, const struct manifest_entry *b);

/*
 * True when what was copied by the earlier manifest is the file as it is now: it was settled, and
 * is untouched. With a hash of now, one of then is needed.
 */
bool manifest_has_already(const struct manifest *earlier, const struct manifest_entry *now);
/* The same for everything, with nothing missing. */
bool manifest_has_all_already(const struct manifest *earlier, const struct manifest *now);

/* A file in the directory, and back: -EBADMSG for one that is no manifest. */
int manifest_write(int dirfd, const char *name, const struct manifest *manifest);
int manifest_load(int dirfd, const char *name, struct manifest *ret_manifest);

#endif
