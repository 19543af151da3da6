/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys files and edit, mappings of paths inside to what is done there, and secrets, a mapping
 * of names.
 */
#ifndef TEMPLATES_CONTENT_H
#define TEMPLATES_CONTENT_H

#include "templates/keywords.h"

/* The keys of one; offsets are in struct plan_file, struct plan_edit and struct plan_secret. */
extern const struct keyword file_keywords[], edit_keywords[], secret_keywords[];

/* unsigned: three octal digits; char *: a path of the host, or "". */
extern const struct value_type type_mode, type_source;

/* Read all of them into the plan; keywords' set. */
int content_set_files(struct reading *reading, const struct keyword *keyword,
		      const struct node *node);
int content_set_edits(struct reading *reading, const struct keyword *keyword,
		      const struct node *node);
/* After the two others, whose paths are not a secret's. */
int content_set_secrets(struct reading *reading, const struct keyword *keyword,
			const struct node *node);

/* For files and edit: a mapping's key as a value, which matters to the inside only; the caller
 * frees it. */
int content_read_key(struct reading *reading, const struct node *node, bool is_path,
		     char **ret_key);
/*
 * What is wrong with a path that is to be changed inside, in words that follow it, or NULL: what an
 * instance has of the host and the kernel is not its own to change, unless an install lies there.
 * Where the server's home is, and what else may be written, is known at the start.
 */
const char *content_place_fault(const struct plan *plan, const char *path);
/* Says that two keys are the same once their variables are replaced. */
int content_say_twice(struct reading *reading, const struct node *node);
/* Refuses what is no mapping of at most max paths. */
int content_check_targets(struct reading *reading, const struct node *node, size_t max);

#endif
