/* SPDX-License-Identifier: Apache-2.0 */
/* One line on a terminal that says how far something long has come; nothing where there is none. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "install/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	int64_t shown_ns; /* 0: no line is shown */
};

/* True when it is time for another line. Zero-initialise progress. */
bool progress_is_due(const struct progress *progress);

/* Puts the text in place of the line. */
void progress_show(struct progress *progress, const char *text);

/* "[#####     ]  45 %" for a part of a whole. */
void progress_bar(uint64_t part, uint64_t whole, char *buffer, size_t size);

/* The line of a copy of many files (tree_copy), or of their hashes; data is the struct progress. */
void progress_of_tree(const struct tree_progress *tree, void *data);

/* Wipes the line, before anything else is printed there. */
void progress_clear(struct progress *progress);

#endif
