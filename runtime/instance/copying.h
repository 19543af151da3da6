/* SPDX-License-Identifier: Apache-2.0 */
/* A copy under way; only for runtime/instance/copy*.c. */
#ifndef INSTANCE_COPYING_H
#define INSTANCE_COPYING_H

#include "instance/copy.h"
#include "instance/identity.h"

#include <stdbool.h>
#include <sys/stat.h>

#define COPY_DEPTH_MAX 200 /* two descriptors each */

struct copying {
	const struct copy *copy;
	struct identity identity;
	mode_t mask; /* bits that new files on the destination's side do not get */
	uint64_t bytes;
	unsigned complaints;
	bool over; /* cancelled, or nothing more fits: what is left would only fail as well */
};

/* What is copied: found already, and not opened. */
struct copy_source {
	int fd; /* O_PATH; or a stream that is open */
	bool stream;
	struct stat st;
	const char *shown; /* its path, for messages */
};

/* Where it goes: a directory and a name in it, "." for the directory itself. */
struct copy_target {
	int dirfd; /* O_PATH will do; or a stream that is open */
	bool stream;
	const char *name;
	const char *shown;
};

/* All that follows is done with the rights that this place asks for. */
int copying_act_on(struct copying *copying, const struct copy_place *place, struct error *err);

static inline bool copy_is_inside(const struct copy_place *place)
{
	return place->root >= 0;
}

/* Contents of a regular file or a stream, into a new file or a stream. */
int copy_file(struct copying *copying, const struct copy_source *source,
	      const struct copy_target *target, struct error *err);

/* Bytes from in to out; source says how many, and where holes may be. */
int copy_bytes(struct copying *copying, const struct copy_source *source, int in, int out,
	       bool to_stream);

/* Whatever it is, with everything below it; what cannot be copied is complained about. */
int copy_object(struct copying *copying, const struct copy_source *source,
		const struct copy_target *target, unsigned depth, struct error *err);

/* A name that nothing in the directory has, for what is not complete. */
void copy_temporary_name(char name[32]);

/* The owner that new things in the directory get; only inside. */
int copy_owner_of(int dirfd, struct stat *ret_st);

#endif
