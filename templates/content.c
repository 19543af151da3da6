/* SPDX-License-Identifier: Apache-2.0 */
/* What a template has done to the instance's files before the server starts. */
#include "templates/values.h"
#include "base/text.h"

#include <string.h>

#define PATTERN "*?["

/* A pattern among the directories would need a walk through the whole install. */
static int add_scrub(struct reading *reading, const struct value_type *type,
		     const struct node *node, char ***list)
{
	cleanup_free char *path = NULL;
	const char *pattern;
	int r = value_path(reading, type, node, &path);

	if (r < 0)
		return r;
	pattern = strpbrk(path, PATTERN);
	if (pattern && strchr(pattern, '/'))
		return node_error(node, reading->err,
				  "'%s' has a pattern before its last name; write the directories "
				  "as they are",
				  path);
	if (strv_length(*list) == PLAN_WORDS_MAX)
		return node_error(node, reading->err, "has too many entries; at most %d",
				  PLAN_WORDS_MAX);
	strv_add(list, path);
	return 0;
}

static int read_scrub(struct reading *reading, const struct value_type *type,
		      const struct node *node, void *field)
{
	cleanup_strv char **list = NULL;
	char ***scrub = field;
	int r = 0;

	if (node->kind == NODE_MAPPING)
		return value_wrong_form(reading, type, node);
	if (node->kind == NODE_SCALAR)
		r = add_scrub(reading, type, node, &list);
	else
		for (size_t i = 0; r == 0 && i < node->n_items; i++)
			r = add_scrub(reading, type, node->items[i], &list);
	if (r < 0)
		return r;
	strv_free(*scrub);
	*scrub = steal_ptr(list);
	return 0;
}

const struct value_type type_scrub = {
	.label = "path or pattern, or list of them",
	.right = "write an absolute path without '.', '..' or '//', such as /opt/server/run/*.pid",
	.pattern = "^/",
	.shape = SHAPE_LIST,
	.read = read_scrub,
};
