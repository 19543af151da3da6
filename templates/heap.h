/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of an instance's memory is for the heap of its server: two variables for the values of a
 * template, from its key "heap" and the limit of memory that will hold.
 */
#ifndef TEMPLATES_HEAP_H
#define TEMPLATES_HEAP_H

#include "templates/keywords.h"
#include "templates/template.h"

/* Those below "heap"; offsets are in a struct of heap.c. */
extern const struct keyword heap_keywords[];

/* For the table of a template's keys: it has been read by then. */
int heap_pass(struct reading *reading, const struct keyword *keyword, const struct node *node);

/*
 * Sets ${heap_mb} and ${heap_start_mb}, whole MiB, if root has the key. The limit is the option's,
 * else the template's, else the one that the caller's quota makes. ERROR_REFUSED with figures when
 * it leaves less than the server needs.
 */
int heap_set_variables(const struct node *root, const struct template_options *options,
		       struct variables *variables, struct error *err);

#endif
