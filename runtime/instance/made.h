/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories that an archive made, in its order and to be found again; only for
 * runtime/instance/unpack*.c. Who wrote the archive chose their names and their number: finding
 * one takes a logarithm of that number of comparisons, whatever they are called.
 */
#ifndef INSTANCE_MADE_H
#define INSTANCE_MADE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

struct made;

/* A directory whose time is set when nothing more is put into it. */
struct made_directory {
	char *path; /* below the upper; "." for itself */
	int upper;
	struct timespec mtime;
	struct made *of;
};

/* All zero: none. */
struct made {
	struct made_directory **list; /* in the order in which they were added */
	size_t n, size;
	void *tree;
	size_t comparisons; /* so far */
};

/* Copies the path; it is not there yet. */
void made_add(struct made *made, int upper, const char *path, struct timespec mtime);
bool made_has(struct made *made, int upper, const char *path);
void made_deinit(struct made *made);

#endif
