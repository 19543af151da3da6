/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an archive in this very process; only for archive*.c. What archive_in_* of archive.h do,
 * they do with these in a child that has no rights.
 */
#ifndef BASE_ARCHIVE_RAW_H
#define BASE_ARCHIVE_RAW_H

#include "base/archive.h"

struct archive_raw;

/* Loads the library, once. */
int archive_load(struct error *err);

int archive_raw_open(int fd, enum archive_kind kind, const char *name, struct archive_raw **ret_raw,
		     struct error *err);
int archive_raw_next(struct archive_raw *raw, struct archive_member *ret_member, struct error *err);
int archive_raw_read(struct archive_raw *raw, const void **ret_data, size_t *ret_size,
		     int64_t *ret_offset, struct error *err);
void archive_raw_close(struct archive_raw *raw);
void archive_raw_cleanup(struct archive_raw **raw);
#define cleanup_archive_raw cleanup(archive_raw_cleanup)

#endif
