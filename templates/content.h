/* SPDX-License-Identifier: Apache-2.0 */
/* The keys files and edit: mappings of paths inside to what is done there. */
#ifndef TEMPLATES_CONTENT_H
#define TEMPLATES_CONTENT_H

#include "templates/keywords.h"

/* The keys of one file; offsets are in struct plan_file and struct plan_edit. */
extern const struct keyword file_keywords[], edit_keywords[];

/* Read all of them into the plan; keywords' set. */
int content_set_files(struct reading *reading, const struct keyword *keyword,
		      const struct node *node);
int content_set_edits(struct reading *reading, const struct keyword *keyword,
		      const struct node *node);

/* For both: a mapping's key as a value, which matters to the inside only; the caller frees it. */
int content_read_key(struct reading *reading, const struct node *node, bool is_path,
		     char **ret_key);
/* Says that two keys are the same once their variables are replaced. */
int content_say_twice(struct reading *reading, const struct node *node);
/* Refuses what is no mapping of at most max paths. */
int content_check_targets(struct reading *reading, const struct node *node, size_t max);

#endif
