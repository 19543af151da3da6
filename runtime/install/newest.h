/* SPDX-License-Identifier: Apache-2.0 */
/* Whether another generation would be the same as the newest; for this folder. */
#ifndef INSTALL_NEWEST_H
#define INSTALL_NEWEST_H

#include "install/generation.h"

/*
 * 1, and the newest generation, when it is of what the manifests (one for each path) say, by the
 * wanted backend, and new instances are started on it; 0 when not. Its backend is the caller's to
 * free.
 */
int newest_is_same(const struct adoption *adoption, const struct install *install,
		   const struct manifest *const *manifests, struct generation *ret_newest,
		   struct error *err);

#endif
