/* SPDX-License-Identifier: Apache-2.0 */
/* Loop devices: a file as a block device (loop(4)), which goes with its last user. */
#ifndef BASE_LOOP_DEVICE_H
#define BASE_LOOP_DEVICE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Attaches an open file to a free device. Returns the device, open, and its path. -EBUSY when there
 * is none.
 */
int loop_device_attach(int file, bool read_only, char *path, size_t size, struct error *err);

/*
 * The same for a file that is only read, on the device that has it already, if there is one: then
 * all who mount it share what the kernel has of it in memory.
 */
int loop_device_share(int file, struct error *err);

#endif
