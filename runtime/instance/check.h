/* SPDX-License-Identifier: Apache-2.0 */
/* What of a plan depends on this host, looked at before anything is made. */
#ifndef INSTANCE_CHECK_H
#define INSTANCE_CHECK_H

#include "base/error.h"
#include "plan/plan.h"

/*
 * Every install directory exists, is a directory, and has no file system mounted below it (an
 * overlay would show the empty mount point).
 */
int check_install(char *const *directories, struct error *err);

/*
 * Whether these can be the paths of an install that is to be entered: the same, and by absolute
 * paths without "." and "..", none within another. ERROR_USAGE for the words themselves.
 */
int check_install_paths(char *const *paths, struct error *err);

/*
 * The plan's further paths with patterns expanded; a plain path must exist, a pattern may match
 * nothing. A path inside an install directory, or around one, is refused. The caller frees.
 */
int check_paths(const struct plan *plan, char ***ret_paths, struct error *err);

/* Every path of "harvest" lies in an install directory; those have no names any more. */
int check_harvest(const struct plan *plan, struct error *err);

/* Refuses with a sentence what a template may ask for and this version cannot enforce. */
int check_supported(const struct plan *plan, struct error *err);

#endif
