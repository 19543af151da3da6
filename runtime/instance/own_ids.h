/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this host can give instances ids of their own. In commands. */
#ifndef INSTANCE_OWN_IDS_H
#define INSTANCE_OWN_IDS_H

#include "instance/site.h"
#include "plan/plan.h"

/*
 * Tries what an instance with a user namespace needs: the namespace itself, and owners mapped on
 * the state directory and on each of the install directories (NULL: none). Changes nothing. The
 * error names what cannot, and says what to do.
 */
int own_ids_possible(const struct site *site, char *const *install, struct error *err);

#endif
