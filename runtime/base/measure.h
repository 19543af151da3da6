/* SPDX-License-Identifier: Apache-2.0 */
/* How much lies in a directory that a tenant could write. */
#ifndef BASE_MEASURE_H
#define BASE_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The bytes that name below dirfd and everything in it take on the disk; never follows a symbolic
 * link and never leaves the file system. A negative errno: -E2BIG with more than max_entries, which
 * bounds the time, or deeper than any real tree.
 */
int64_t measure_tree(int dirfd, const char *name, size_t max_entries);

#endif
