/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing archives, by libarchive, which is loaded when one is needed (libarchive(3)).
 * A reader gives what stands there, unjudged: names may be absolute, lead upwards or repeat. It
 * works in a child that has no rights, and costs a fork. In commands.
 */
#ifndef BASE_ARCHIVE_H
#define BASE_ARCHIVE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct archive_attribute {
	const char *name; /* "user.comment" */
	const void *value;
	size_t size;
};

/* A stretch of a file that is not a hole. */
struct archive_stretch {
	int64_t offset, length;
};

/*
 * One thing in an archive. What a reader gives lives until the next call. A further name of a file
 * (a hard link) has link_to and the mode of a regular file, and no content.
 */
struct archive_member {
	const char *path;    /* any bytes but NUL */
	const char *target;  /* of a symbolic link, else NULL */
	const char *link_to; /* path of the name that came first, else NULL */
	mode_t mode;	     /* with the kind, S_IFMT */
	uid_t uid;
	gid_t gid;
	int64_t size;
	struct timespec mtime;
	const struct archive_attribute *attributes;
	size_t n_attributes;
	const struct archive_stretch *stretches; /* for a writer; none: all of it is data */
	size_t n_stretches;
};

/* What is read; anything else is refused before it is looked at. */
enum archive_kind {
	ARCHIVE_TAR, /* any tar, as it is or packed by zstd, gzip, bzip2 or xz */
	ARCHIVE_ZIP, /* jars */
};

struct archive_in;

/*
 * Reads from the descriptor's position on; name is what errors call it: a path in quotes, or
 * words. ERROR_FAILED without libarchive says what to install. The descriptor stays the caller's.
 */
int archive_in_open(int fd, enum archive_kind kind, const char *name, struct archive_in **ret_in,
		    struct error *err);
/* 1 and the next member, 0 at the end; a damaged or truncated archive is ERROR_FAILED. */
int archive_in_next(struct archive_in *in, struct archive_member *ret_member, struct error *err);
/*
 * The next piece of the member's content: 1, 0 at its end. Offsets rise; what lies between two
 * pieces is a hole.
 */
int archive_in_read(struct archive_in *in, const void **ret_data, size_t *ret_size,
		    int64_t *ret_offset, struct error *err);
void archive_in_close(struct archive_in *in);
void archive_in_cleanup(struct archive_in **in);
#define cleanup_archive_in cleanup(archive_in_cleanup)

struct archive_out;

/* Writes a tar in the form of POSIX (pax), packed by zstd. Both as above. */
int archive_out_open(int fd, const char *name, struct archive_out **ret_out, struct error *err);
int archive_out_add(struct archive_out *out, const struct archive_member *member,
		    struct error *err);
/* Content of the member that was added last: size bytes in all, holes as zeros. */
int archive_out_write(struct archive_out *out, const void *data, size_t size, struct error *err);
/* Writes what is left; without it the archive is not complete. */
int archive_out_finish(struct archive_out *out, struct error *err);
void archive_out_close(struct archive_out *out);
void archive_out_cleanup(struct archive_out **out);
#define cleanup_archive_out cleanup(archive_out_cleanup)

#endif
