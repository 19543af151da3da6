/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the ids that instances get are nobody else's. In the command that starts an instance. */
#ifndef INSTANCE_IDS_H
#define INSTANCE_IDS_H

#include "base/error.h"
#include "plan/config.h"

/*
 * Looks for users, groups and subordinate ids (subuid(5), subgid(5)) of this host within the span,
 * in the files below etc, an open directory. Entries of subuid and subgid for "stint" reserve the
 * span for us. ERROR_REFUSED names the file and the entry. Directory services are not asked.
 */
int ids_check(int etc, const struct id_span *span, struct error *err);

#endif
