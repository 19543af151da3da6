/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key ports: names with numbers, or with mappings. While a template is read, the plan's ports
 * stand in the order in which they are written, since the first one is the default of checks.
 */
#ifndef TEMPLATES_PORTS_H
#define TEMPLATES_PORTS_H

#include "templates/keywords.h"

/* The keys of one port that is written as a mapping; offsets are in struct plan_port. */
extern const struct keyword port_keywords[];

/* Reads all ports into the plan; a keyword's set. */
int ports_set(struct reading *reading, const struct keyword *keyword, const struct node *node);

/* Makes the port that is meant when a check names none the check's: http, else the first. */
int ports_prefer(struct reading *reading, const struct node *node);

/* Puts the plan's ports into their final order, by name. */
void ports_sort(struct plan *plan);

#endif
