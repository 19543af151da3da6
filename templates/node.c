/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of nodes: looking up, taking apart, and errors that say where; see document.h. */
#include "templates/document.h"
#include "base/text.h"
#include "plan/characters.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* what error.h puts around these for the analyzer is for callers */
#undef node_error
#undef node_key_error

#define SHOWN_FILE_MAX 160
#define SHOWN_PATH_MAX 96

void node_free(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->n_items; i++)
		node_free(node->items[i]);
	node_free(node->key);
	free(node->items);
	free(node->text);
	free(node);
}

void node_cleanup(struct node **node)
{
	node_free(*node);
	*node = NULL;
}

struct node *node_find(const struct node *mapping, const char *key)
{
	if (!mapping || mapping->kind != NODE_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->n_items; i++)
		if (strcmp(mapping->items[i]->key->text, key) == 0)
			return mapping->items[i];
	return NULL;
}

void node_attach(struct node *parent, struct node *child)
{
	size_t n = parent->n_items;

	/* room doubles at every power of two */
	if ((n & (n - 1)) == 0)
		parent->items = xrealloc(parent->items, n ? 2 * n : 1, sizeof(struct node *));
	parent->items[parent->n_items++] = child;
	child->parent = parent;
	if (child->key)
		child->key->parent = parent;
}

void node_remove(struct node *parent, size_t index)
{
	node_free(parent->items[index]);
	parent->n_items--;
	memmove(parent->items + index, parent->items + index + 1,
		(parent->n_items - index) * sizeof(struct node *));
}

bool node_is_null(const struct node *node)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (node->kind != NODE_SCALAR || !node->plain)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(node->text, words[i]) == 0)
			return true;
	return false;
}

/* "run.env.PATH"; empty at the top. Depth is bounded, and so is the recursion. */
static void put_path(const struct node *node, struct text *ret_path)
{
	if (node->parent)
		put_path(node->parent, ret_path);
	if (!node->key)
		return;
	if (ret_path->length)
		text_add(ret_path, ".");
	text_add(ret_path, node->key->text);
}

static int say_at(const struct node *at, const struct node *node, struct error *err,
		  const char *what)
{
	cleanup_text struct text path = {0};
	char shown[SHOWN_PATH_MAX];
	size_t length = strlen(at->file);
	bool cut = length > SHOWN_FILE_MAX;

	put_path(node, &path);
	characters_printable(path.data ? path.data : "", shown, sizeof(shown));
	return error_say(err, ERROR_FAILED, "%s%s:%u:%u: %s%s%s%s", cut ? "..." : "",
			 cut ? at->file + length - SHOWN_FILE_MAX : at->file, at->line, at->column,
			 *shown ? "key '" : "", shown, *shown ? "': " : "", what);
}

int node_error(const struct node *node, struct error *err, const char *format, ...)
{
	char what[ERROR_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return say_at(node, node, err, what);
}

int node_key_error(const struct node *node, struct error *err, const char *format, ...)
{
	char what[ERROR_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return say_at(node->key, node, err, what);
}
