/* SPDX-License-Identifier: Apache-2.0 */
/* What changed in the live directories of an install below an instance. */
#ifndef CLI_TAINTS_H
#define CLI_TAINTS_H

#include "cli/output.h"

/* Some of the names, in lines that are not cut, and how many there are; nothing if there are none.
 */
void taints_print(const struct site *site, const struct record *record);

/* All names that are kept, each as json_change. */
json_t *taints_json(const struct site *site, const struct record *record);

#endif
