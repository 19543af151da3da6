/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound release of memory and descriptors, and the way to hand them over.
 * Only for what the process itself owns: objects of the host are undone from the record, never
 * by leaving a scope.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup(function) __attribute__((cleanup(function)))

/* Closes *fd unless it is negative; errno survives. */
void cleanup_close(int *fd);
/* *pointer is freed; the argument is a pointer to any pointer. */
void cleanup_free_pointer(void *pointer);
void cleanup_fclose(FILE **file);
void cleanup_closedir(DIR **dir);

#define cleanup_fd cleanup(cleanup_close)
#define cleanup_free cleanup(cleanup_free_pointer)
#define cleanup_file cleanup(cleanup_fclose)
#define cleanup_dir cleanup(cleanup_closedir)

/* Returns *fd and leaves -1 behind: ownership moves to the caller. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Returns the pointer and leaves NULL behind: ownership moves to the caller. */
#define steal_ptr(pointer)                               \
	({                                               \
		__typeof__(pointer) *from_ = &(pointer); \
		__typeof__(pointer) taken_ = *from_;     \
		*from_ = NULL;                           \
		taken_;                                  \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
