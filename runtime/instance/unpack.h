/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A harvest (harvest.h) into the upper layers of an instance that does not run yet. Anybody may
 * have made it: whatever is not a file, directory or link at an exact place below an install
 * directory is refused with a sentence, and no byte lands anywhere else. For a process of its own
 * (base/apart.h), as root.
 */
#ifndef INSTANCE_UNPACK_H
#define INSTANCE_UNPACK_H

#include "base/error.h"

#include <stddef.h>

/* An install directory: where it is seen, what is written to, and what that lies on. */
struct unpack_place {
	const char *install;
	int upper, lower;
};

/*
 * Reads the archive from fd; name is what errors call it (archive.h). What is there after a failure
 * is the caller's to remove. Gives up the right to write beyond limits and reserves of the disk.
 */
int unpack_archive(int fd, const char *name, const struct unpack_place *places, size_t n,
		   struct error *err);

#endif
