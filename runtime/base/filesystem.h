/* SPDX-License-Identifier: Apache-2.0 */
/* What a file system is called, for messages. */
#ifndef BASE_FILESYSTEM_H
#define BASE_FILESYSTEM_H

#include <sys/statfs.h>

#define FILE_SYSTEM_NAME_SIZE 32

/* The name that people use; a number in the buffer for one that is not known here. */
const char *file_system_name(const struct statfs *fs, char buffer[FILE_SYSTEM_NAME_SIZE]);

#endif
