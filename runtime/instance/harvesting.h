/* SPDX-License-Identifier: Apache-2.0 */
/* A harvest under way; only for runtime/instance/harvest*.c. */
#ifndef INSTANCE_HARVESTING_H
#define INSTANCE_HARVESTING_H

#include "base/archive.h"
#include "instance/harvest.h"
#include "instance/inspect.h"

struct packing {
	struct archive_out *out;
	struct harvest *harvest;
	void *names;  /* of files with several: a tree of tsearch(3) */
	char *buffer; /* PACKING_BUFFER bytes */
	struct error *err;
};

#define PACKING_BUFFER (256U << 10)

int packing_init(struct packing *packing, int fd, const char *name, struct harvest *harvest,
		 struct error *err);
void packing_deinit(struct packing *packing);

/* Packs one thing, without what is below it. opaque: a directory that hides what it lies on. */
int packing_put(struct packing *packing, const char *path, const struct found *found, bool opaque);

/* Says that there is nothing at this path any more. */
int packing_delete(struct packing *packing, const char *path);

/* Something that is not packed, and why. */
void packing_leave_out(struct packing *packing, const char *path, const char *why);

/* "cannot WHAT 'path'"; returns r. */
int packing_cannot(const struct packing *packing, int r, const char *what, const char *path);

/*
 * All that an overlay's upper says against its lower (both directories), below the paths; install
 * is where the instance sees it.
 */
int harvest_layer(struct packing *packing, int upper, int lower, const char *install);

#endif
