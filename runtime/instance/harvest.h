/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying out of an instance what it changed: a tar file, packed by zstd, with the changed files
 * of its installs at their paths (without the first slash) and what was deleted as in the layers
 * of the OCI image specification (layer.md): an empty file ".wh.NAME" where NAME is gone, and
 * ".wh..wh..opq" in a directory through which nothing of the install shows. It stands for itself:
 * a directory that was renamed is in it with all it contains. In commands, as root.
 */
#ifndef INSTANCE_HARVEST_H
#define INSTANCE_HARVEST_H

#include "instance/account.h"
#include "instance/site.h"

#include <stdint.h>

#define HARVEST_MARK ".wh."
#define HARVEST_OPAQUE ".wh..wh..opq"

struct harvest_sums {
	uint64_t files, bytes, deleted;
	uint64_t left_out; /* things that no file can hold, or that went while they were read */
};

struct harvest {
	char *const *below; /* paths as the instance sees them; NULL: all of its installs */
	int cancel;	    /* it is given up when this becomes readable; -1: never */
	void (*progress)(const struct harvest_sums *sums, void *data); /* or NULL */
	void (*note)(const char *shown, const char *what, void *data); /* fit for a terminal */
	void *data;
	struct harvest_sums sums; /* out */
};

/*
 * Writes the archive to an open file, and to disk where that is a file. pool: what the instance
 * writes (disk.h). May be done while it runs: what changes meanwhile is noted. name is for
 * errors (archive.h).
 */
int harvest_write(const struct site *site, const struct record *record, int pool, int fd,
		  const char *name, struct harvest *harvest, struct error *err);

/*
 * The same into a new file, made with the rights of the person, which appears complete or not at
 * all, and is on disk then. ERROR_EXISTS when there is one of that name.
 */
int harvest_to_file(const struct site *site, const struct record *record, int pool,
		    const char *path, const struct account *person, struct harvest *harvest,
		    struct error *err);

/* Attributes that go with a file: those of its user, and access control lists. */
bool harvest_keeps_attribute(const char *name);

#endif
