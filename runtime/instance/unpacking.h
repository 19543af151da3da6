/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking under way; only for runtime/instance/unpack*.c. */
#ifndef INSTANCE_UNPACKING_H
#define INSTANCE_UNPACKING_H

#include "base/archive.h"
#include "instance/made.h"
#include "instance/unpack.h"

struct unpacking {
	struct archive_in *in;
	const char *name;
	const struct unpack_place *places;
	size_t n_places;
	struct made made;
	struct error *err;
};

/* Where a member goes: the directory, open, and a name in it. */
struct unpack_spot {
	const struct unpack_place *place;
	const char *below; /* the path below the install, without a slash in front; "": itself */
	int directory;
	const char *name;
};

/* "--with 'FILE': 'PATH' WHY": a negative errno. */
int unpack_refuse(const struct unpacking *u, const char *path, const char *why);
/* The same with the words for the negative errno r, which it returns. */
int unpack_cannot(const struct unpacking *u, const char *path, int r);

/* Makes what the member says at the spot. */
int unpack_put(struct unpacking *u, const struct archive_member *member,
	       const struct unpack_spot *spot);
/* An empty file whose name is a mark of harvest.h. */
int unpack_mark(const struct unpacking *u, const struct archive_member *member,
		const struct unpack_spot *spot);

#endif
