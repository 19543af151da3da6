/* SPDX-License-Identifier: Apache-2.0 */
/* The key "secrets" of a template: what only the instance may see; see content.h. */
#include "templates/content.h"
#include "base/text.h"

#include <string.h>

/* What edit and files write lies on a disk. */
static int check_path(struct reading *reading, const struct node *node,
		      const struct plan_secret *secret)
{
	const struct plan_content *content = &reading->plan->content;
	const char *other = NULL, *fault;

	if (!secret->path)
		return 0;
	fault = content_place_fault(reading->plan, secret->path);
	if (fault)
		return node_error(node, reading->err, "'%s' %s", secret->path, fault);
	for (size_t i = 0; i < content->n_files; i++)
		if (strcmp(content->files[i].target, secret->path) == 0)
			other = "files";
	for (size_t i = 0; i < content->n_edits; i++)
		if (strcmp(content->edits[i].target, secret->path) == 0)
			other = "edit";
	if (other)
		return node_error(node, reading->err,
				  "'%s' is in '%s' too, which writes to a disk; a secret is a file "
				  "of its own, as it is given",
				  secret->path, other);
	for (const struct plan_secret *s = content->secrets; s < secret; s++)
		if (s->path && strcmp(s->path, secret->path) == 0)
			return node_error(node, reading->err, "'%s' is the place of '%s' already",
					  secret->path, s->name);
	return 0;
}

static int read_secret(struct reading *reading, const struct node *node, struct plan_secret *secret)
{
	int r = 0;

	if (!is_valid_name(node->key->text))
		return node_key_error(node, reading->err, "is no name for a secret; %s",
				      type_name.right);
	secret->name = xstrdup(node->key->text);
	if (node->kind != NODE_MAPPING && !node_is_null(node))
		return node_error(node, reading->err,
				  "says what the secret is, which a template must not: whoever "
				  "starts it gives it with --secret; below the name stand path, "
				  "from, user, mode and missing");
	if (node->kind == NODE_MAPPING)
		r = keywords_read(secret_keywords, reading, node, secret);
	if (secret->from && !*secret->from)
		free(steal_ptr(secret->from));
	return r < 0 ? r : check_path(reading, node, secret);
}

int content_set_secrets(struct reading *reading, const struct keyword *keyword,
			const struct node *node)
{
	struct plan_content *content = &reading->plan->content;
	int r = 0;

	(void)keyword;
	if (node->kind != NODE_MAPPING && !node_is_null(node))
		return node_error(
			node, reading->err,
			"is not a mapping; write the name of a secret and a colon, each on "
			"a line of its own, indented");
	if (node->n_items > PLAN_SECRETS_MAX)
		return node_error(node, reading->err, "has too many entries; at most %d",
				  PLAN_SECRETS_MAX);
	content->secrets = xcalloc(node->n_items, sizeof(*content->secrets));
	for (size_t i = 0; r == 0 && i < node->n_items; i++)
		r = read_secret(reading, node->items[i], &content->secrets[content->n_secrets++]);
	return r;
}

const struct keyword secret_keywords[] = {
	{
		.name = "path",
		.type = &type_directory,
		.doc = "Where else the server looks for it: a symbolic link, made there, leads to "
		       "it.",
		.offset = offsetof(struct plan_secret, path),
		.flags = KEYWORD_INSIDE,
	},
	{
		.name = "from",
		.type = &type_source,
		.doc = "A file of the host that has it, where whoever starts the server gives "
		       "none with `--secret`; empty, as a parameter may be: there is none.",
		.offset = offsetof(struct plan_secret, from),
	},
	{
		.name = "user",
		.type = &type_user,
		.fallback = "the server's",
		.doc = "Who it belongs to inside, by login name or number.",
		.offset = offsetof(struct plan_secret, user),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "mode",
		.type = &type_mode,
		.fallback = "0400",
		.doc = "Who may read it, as for chmod; nobody can write to it.",
		.offset = offsetof(struct plan_secret, mode),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "missing",
		.type = &type_text,
		.doc = "The server can do without it: what whoever starts it is told when there is "
		       "none.",
		.offset = offsetof(struct plan_secret, missing),
	},
	{0},
};
