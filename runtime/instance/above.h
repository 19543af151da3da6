/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Further read-only layers between an install and what an instance writes: packages, a
 * configuration, what "stint save" made. In the record as "INDEX:DIRECTORY", the index of the
 * install directory (record->layers) and a directory of the host, the lowest first.
 */
#ifndef INSTANCE_ABOVE_H
#define INSTANCE_ABOVE_H

#include "instance/site.h"
#include "plan/plan.h"

/*
 * What a plan's "DIRECTORY[:INSTALL]" words come to; its installs have no names any more.
 * ERROR_FAILED for a directory that is not there, overlaps with another one or with an install, or
 * is stint's own, and for an install directory that the plan does not have. The caller frees.
 */
int above_find(const struct site *site, const struct plan *plan, char ***ret_above,
	       struct error *err);

/* The directories above install directory i, or, with SIZE_MAX, above any. The caller frees. */
char **above_of(char *const *above, size_t i);

/* The word in two; install "": it was not said. Both are the caller's to free. */
void above_split(const char *word, char **ret_directory, char **ret_install);

/*
 * What layer i of an instance lies on, open: its install with the layers above it, merged. In a
 * mount namespace that this process stays in where there are some. Needs root.
 */
int above_open(const struct site *site, const struct record *record, size_t i, struct error *err);

#endif
