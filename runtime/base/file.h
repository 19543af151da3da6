/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files by directory descriptor. Functions return 0 or a negative errno unless they take a struct
 * error; paths are relative to dirfd, which may be AT_FDCWD for absolute paths. Every descriptor
 * is close-on-exec.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads the whole file, at most max bytes (-EFBIG beyond), NUL added behind. The caller frees.
 * ret_length may be NULL.
 */
int file_read(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_length);

/* "pipe", "socket" or "device": what is no file, directory or link; for messages. */
const char *file_special_kind(mode_t mode);

/* Writes all of data to fd, through short writes and EINTR. */
int file_write_all(int fd, const void *data, size_t length);

/* Creates or truncates the file and writes data. Not for files that others read meanwhile. */
int file_write(int dirfd, const char *path, const char *data, mode_t mode);

/* Writes a file that already exists with one write(2), as procfs and cgroupfs want it. */
int file_poke(int dirfd, const char *path, const char *data);

/* Puts data in place of the file by rename: a reader sees the old or the new, never a part. */
int file_replace(int dirfd, const char *name, const char *data, mode_t mode);
int file_replace_bytes(int dirfd, const char *name, const void *data, size_t length, mode_t mode);

/*
 * mkdir -p below dirfd; directories that exist are kept as they are. -ENOTDIR when the path or a
 * part of it is something else.
 */
int file_make_directories(int dirfd, const char *path, mode_t mode);

/*
 * Opens below dirfd; a path that leaves it (.., absolute symbolic link, magic link) fails with
 * -EXDEV or -ELOOP. For everything that a tenant can write.
 */
int file_open_beneath(int dirfd, const char *path, int flags, mode_t mode);

/* As above, but symbolic links are resolved as if dirfd were "/": the inside's own view. */
int file_open_in_root(int dirfd, const char *path, int flags, mode_t mode);

/*
 * Opens what lies below dirfd by exactly this path: a symbolic link on the way or at its end fails
 * with -ELOOP (with O_PATH too), a mount on the way or at its end with -EXDEV.
 */
int file_open_exactly(int dirfd, const char *path, int flags);

/*
 * Removes name below dirfd with everything in it, never following a symbolic link and never
 * leaving the file system it started on. Goes on after a failure and returns the first one.
 * A name that does not exist is no error.
 */
int file_remove_tree(int dirfd, const char *name);

/* True when something can be read from fd (-1: never), or its other end is closed. */
bool file_is_readable(int fd);

/* Opens a directory; -ENOTDIR when it is none. */
int file_open_directory(int dirfd, const char *path);

/* The number that is all of the file's first line; UINT64_MAX when it is none, or cannot be read.
 */
uint64_t file_read_number(const char *path);

#endif
