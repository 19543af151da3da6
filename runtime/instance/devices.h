/* SPDX-License-Identifier: Apache-2.0 */
/* Block devices below directories, as the kernel's limits of I/O want them. */
#ifndef INSTANCE_DEVICES_H
#define INSTANCE_DEVICES_H

/*
 * Adds the whole disk below path to the list as "MAJOR:MINOR", unless it is there already. Memory
 * file systems have none and need none. Returns NULL, or why there is no such device; the caller
 * frees.
 */
char *device_add(const char *path, char ***devices);

#endif
