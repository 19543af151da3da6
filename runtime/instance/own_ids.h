/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this host can give instances ids of their own. In commands. */
#ifndef INSTANCE_OWN_IDS_H
#define INSTANCE_OWN_IDS_H

#include "base/error.h"
#include "plan/config.h"

/*
 * Tries what an instance with a user namespace needs: the namespace itself, and owners mapped on
 * each of the directories, which are the state directory and the install's. Changes nothing. The
 * error names what cannot, and says what to do.
 */
int own_ids_possible(const struct id_span *ids, char *const *directories, struct error *err);

#endif
