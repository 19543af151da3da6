/* SPDX-License-Identifier: Apache-2.0 */
/* The keys below "ready"; for the table of a template's keys. */
#ifndef TEMPLATES_READY_H
#define TEMPLATES_READY_H

#include "templates/keywords.h"

extern const struct keyword ready_keywords[];

/* The word for "ready" itself, or a list; and a list alone: field is not used, the plan's checks
 * are. */
extern const struct value_type type_ready_word, type_checks;

/* When all keys have been read: the default, which depends on the ports. */
int ready_finish(struct reading *reading, const struct node *root);

#endif
