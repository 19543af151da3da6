/* SPDX-License-Identifier: Apache-2.0 */
/* The key "files" of a template: what is put into an instance's view; see content.h. */
#include "templates/content.h"
#include "base/text.h"

#include <string.h>

static int read_mode(struct reading *reading, const struct value_type *type,
		     const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	if (strspn(text, "01234567") != strlen(text) || strlen(text) < 3 || strlen(text) > 4 ||
	    (strlen(text) == 4 && *text != '0'))
		return value_wrong(reading, type, node, text);
	*(unsigned *)field = (unsigned)strtoul(text, NULL, 8);
	return *(unsigned *)field ? 0 : value_wrong(reading, type, node, text);
}

const struct value_type type_mode = {
	.label = "mode",
	.right = "write three octal digits, as in 640 or 0755",
	.pattern = "^0?[0-7]{3}$",
	.read = read_mode,
};

static int read_lines(struct reading *reading, const struct value_type *type,
		      const struct node *node, void *field)
{
	char *text, **string = field;
	int r = value_text(reading, type, node, true, &text);

	if (r < 0)
		return r;
	free(*string);
	*string = text;
	return 0;
}

static const struct value_type type_lines = {
	.label = "text",
	.right = "write it in quotes, or behind a '|' in lines of its own",
	.read = read_lines,
};

static int read_file(struct reading *reading, const struct node *node, struct plan_file *file)
{
	const struct plan_content *content = &reading->plan->content;
	const char *fault;
	int r = content_read_key(reading, node, true, &file->target);

	if (r < 0)
		return r;
	for (const struct plan_file *other = content->files; other < file; other++)
		if (strcmp(other->target, file->target) == 0)
			return content_say_twice(reading, node);
	fault = content_place_fault(reading->plan, file->target);
	if (fault)
		return node_key_error(node, reading->err, "%s", fault);
	if (node->kind != NODE_MAPPING)
		return node_error(node, reading->err,
				  "says nothing of what is in the file; write from: and a path of "
				  "the host, or text:, below it");
	return keywords_read(file_keywords, reading, node, file);
}

/* A file that nobody named is left out; the template says what that means. */
static int leave_out_unnamed(struct reading *reading, const struct node *node)
{
	struct plan_content *content = &reading->plan->content;
	struct plan_file *file = &content->files[content->n_files - 1];
	bool unnamed = file->from && !*file->from;

	if (unnamed && !file->missing)
		return node_error(node, reading->err,
				  "has nothing to copy from; give 'from' a path, or say below "
				  "'missing' what it means that there is none");
	if (unnamed) {
		strv_add(&reading->plan->notes, file->missing);
		plan_file_deinit(file);
		*file = (struct plan_file){0};
		content->n_files--;
	} else {
		free(steal_ptr(file->missing));
	}
	return 0;
}

static int read_source(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field)
{
	char *path = NULL, **string = field;
	int r = value_text(reading, type, node, false, &path);

	if (r == 0 && *path) {
		free(steal_ptr(path));
		r = value_path(reading, type, node, &path);
	}
	if (r < 0)
		return r;
	free(*string);
	*string = path;
	return 0;
}

const struct value_type type_source = {
	.label = "path",
	.right = "write an absolute path without '.', '..' or '//', such as /opt/files/a.xml",
	.pattern = "^(/|$)",
	.read = read_source,
};

int content_set_files(struct reading *reading, const struct keyword *keyword,
		      const struct node *node)
{
	struct plan_content *content = &reading->plan->content;
	int r = content_check_targets(reading, node, PLAN_FILES_MAX);

	(void)keyword;
	if (r == 0)
		content->files = xcalloc(node->n_items, sizeof(*content->files));
	for (size_t i = 0; r == 0 && i < node->n_items; i++) {
		r = read_file(reading, node->items[i], &content->files[content->n_files++]);
		if (r == 0)
			r = leave_out_unnamed(reading, node->items[i]);
	}
	return r;
}

const struct keyword file_keywords[] = {
	{
		.name = "from",
		.type = &type_source,
		.doc = "A file of the host that is copied there, or a directory with all that is "
		       "in it; empty, as a parameter may be: nothing, where `missing` is given.",
		.offset = offsetof(struct plan_file, from),
		.choice = 1,
	},
	{
		.name = "text",
		.type = &type_lines,
		.doc = "What is in the file.",
		.offset = offsetof(struct plan_file, text),
		.flags = KEYWORD_INSIDE,
		.choice = 2,
	},
	{
		.name = "user",
		.type = &type_user,
		.fallback = "the server's",
		.doc = "Who it belongs to inside, by login name or number.",
		.offset = offsetof(struct plan_file, user),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "mode",
		.type = &type_mode,
		.fallback = "0644; below a directory as on the host",
		.doc = "Who may read and write it, as for chmod.",
		.offset = offsetof(struct plan_file, mode),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "missing",
		.type = &type_text,
		.doc = "What whoever starts the server is told when `from` is empty.",
		.offset = offsetof(struct plan_file, missing),
	},
	{0},
};
