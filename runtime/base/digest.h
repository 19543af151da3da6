/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a file, as a number that no other content has: SHA-256, by libnettle, which is loaded
 * when one is needed (libarchive brings it along). In commands.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/error.h"

#include <stdint.h>

#define DIGEST_SIZE 32

/* ERROR_FAILED, with what to install, when there is no libnettle. Before digest_of_file. */
int digest_load(struct error *err);

/*
 * Reads all of the open file, through the page cache, as who runs it does. -ECANCELED once cancel
 * (-1: never) is readable, or another negative errno.
 */
int digest_of_file(int fd, int cancel, uint8_t ret_digest[DIGEST_SIZE]);

#endif
