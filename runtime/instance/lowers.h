/* SPDX-License-Identifier: Apache-2.0 */
/* What the copy-on-write view of an install directory lies on: itself, or its copy in a generation.
 */
#ifndef INSTANCE_LOWERS_H
#define INSTANCE_LOWERS_H

#include "instance/site.h"
#include "plan/plan.h"

/*
 * Puts the paths of installs in place of their names in the plan. ERROR_NOT_FOUND for a name that
 * the store does not know, ERROR_FAILED when two paths overlap or when they are too many.
 */
int lowers_name(const struct site *site, struct plan *plan, struct error *err);

/*
 * A path of the host for each of the directories, from what the store says of each of them
 * (store/installs.h). lowers may be NULL: there are no generations. The caller frees.
 */
char **lowers_resolve(const struct site *site, char *const *directories, char *const *lowers);

/* The same for those of a record. */
char **lowers_of(const struct site *site, const struct record *record);

/*
 * The install and the generation that layer i of the record lies on; the caller frees the name.
 * Generation 0 is the guarded live directory. False when the directory is no install's.
 */
bool lower_name(const struct record *record, size_t i, char **ret_install,
		uint32_t *ret_generation);

/*
 * Opens the directory of what lowers_resolve returns for that directory of the host (NULL: for
 * none); what is in an image is mounted for that, and nowhere to be seen. Needs root.
 */
int lower_open(const char *path, const char *directory, struct error *err);

/* Whether it is the directory itself: what lies beside that is somebody else's, and no image. */
bool lower_is_live(const char *path, const char *directory);

#endif
