/* SPDX-License-Identifier: Apache-2.0 */
/* What an instance came to, gathered when it ends. Only for runtime/instance. */
#ifndef INSTANCE_USAGE_H
#define INSTANCE_USAGE_H

#include "instance/site.h"
#include "keeper/status.h"

/*
 * Fills *ret_usage from what is still there: the kernel's counters, the keeper's last words, what
 * was written, and the end of the log. Before the first undo: afterwards all of it is unknown.
 * status: the keeper's last one; NULL: it left none. The caller frees the log (ending_deinit).
 */
void usage_gather(const struct site *site, const struct record *record, const struct status *status,
		  struct usage *ret_usage);

#endif
