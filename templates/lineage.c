/* SPDX-License-Identifier: Apache-2.0 */
/* Merging a template with those it extends; see lineage.h. */
#include "templates/lineage.h"
#include "templates/keywords.h"
#include "base/text.h"

#include <string.h>

void lineage_deinit(struct lineage *lineage)
{
	node_free(lineage->root);
	free(lineage->name);
	for (size_t i = 0; i < lineage->n; i++)
		source_deinit(&lineage->sources[i]);
	*lineage = (struct lineage){0};
}

static size_t index_of(const struct node *mapping, const char *key)
{
	for (size_t i = 0; i < mapping->n_items; i++)
		if (strcmp(mapping->items[i]->key->text, key) == 0)
			return i;
	return mapping->n_items;
}

/* A template that chooses another way to stop, or to be ready, drops the way it inherits. */
static void drop_choices(const struct keyword *table, struct node *base, const struct node *over)
{
	bool chosen = false;

	for (const struct keyword *keyword = table; keyword && keyword->name; keyword++)
		chosen = chosen || (keyword->choice && node_find(over, keyword->name));
	for (const struct keyword *keyword = table; chosen && keyword->name; keyword++) {
		size_t index = index_of(base, keyword->name);

		if (keyword->choice && index < base->n_items && !node_find(over, keyword->name))
			node_remove(base, index);
	}
}

static void merge(const struct keyword *keyword, struct node *base, struct node *over);

/* Puts item, which is taken over, into base in place of what has its key. */
static void merge_item(const struct keyword *keyword, struct node *base, struct node *item)
{
	size_t index = index_of(base, item->key->text);
	struct node *old = index < base->n_items ? base->items[index] : NULL;

	if (old && old->kind == NODE_MAPPING && item->kind == NODE_MAPPING) {
		merge(keyword, old, item);
		node_free(item);
	} else if (old && old->kind == NODE_MAPPING && node_is_null(item)) {
		node_free(item);
	} else if (old) {
		node_free(old);
		base->items[index] = item;
		item->parent = base;
		item->key->parent = base;
	} else {
		node_attach(base, item);
	}
}

/* Moves all items of over into base; keyword is that of both, or NULL. */
static void merge(const struct keyword *keyword, struct node *base, struct node *over)
{
	bool names = keyword && (keyword->flags & KEYWORD_NAMES);
	struct keyword named = keyword ? *keyword : (struct keyword){0};
	const struct keyword *table = names ? NULL : named.inner;
	size_t n = over->n_items;

	named.flags &= ~(unsigned)KEYWORD_NAMES;
	drop_choices(table, base, over);
	over->n_items = 0;
	for (size_t i = 0; i < n; i++) {
		const struct keyword *one = keyword_find(table, over->items[i]->key->text);

		merge_item(names ? &named : one, base, over->items[i]);
	}
}

/* The string of a key whose value is taken as it is written; *ret_text NULL without the key. */
static int literal_name(const struct node *root, const char *key, const struct value_type *type,
			const char **ret_text, struct error *err)
{
	const struct node *node = node_find(root, key);
	struct reading reading = {.err = err};

	*ret_text = NULL;
	if (!node)
		return 0;
	if (node->kind != NODE_SCALAR || node_is_null(node))
		return value_wrong_form(&reading, type, node);
	if (!is_valid_name(node->text))
		return value_wrong(&reading, type, node, node->text);
	*ret_text = node->text;
	return 0;
}

/* What is looked up by name says that name; otherwise lists and messages would disagree. */
static int check_name(const struct source *source, const struct node *root, char **ret_name,
		      struct error *err)
{
	const char *name;
	int r = literal_name(root, "template", &type_template, &name, err);

	if (r < 0)
		return r;
	if (source->by_name && name && strcmp(name, source->name) != 0)
		return node_error(node_find(root, "template"), err,
				  "'%s' is not the file's name; write '%s', or rename the file",
				  name, source->name);
	if (!name && !is_valid_name(source->name))
		return node_error(root, err,
				  "the key 'template' is missing, and the file's name "
				  "is not a valid name for a template");
	*ret_name = xstrdup(name ? name : source->name);
	return 0;
}

static int parse_source(const struct source *source, struct node **ret_root, char **ret_name,
			struct error *err)
{
	cleanup_node struct node *root = NULL;
	int r = document_parse(source->label, source->text, source->length, &root, err);

	if (r < 0)
		return r;
	if (node_is_null(root))
		return node_error(root, err,
				  "the file is empty; write 'KEY: VALUE' lines, at least 'run'");
	if (root->kind != NODE_MAPPING)
		return node_error(root, err, "a template is a mapping; write 'KEY: VALUE' lines");
	r = check_name(source, root, ret_name, err);
	if (r < 0)
		return r;
	*ret_root = steal_ptr(root);
	return 0;
}

static bool is_same(const struct source *a, const struct source *b)
{
	return a->by_name && b->by_name && a->rank == b->rank && strcmp(a->name, b->name) == 0;
}

static int check_chain(const struct lineage *lineage, const struct node *extends,
		       const struct source *next, struct error *err)
{
	for (size_t i = 0; i < lineage->n; i++)
		if (is_same(&lineage->sources[i], next))
			return node_error(extends, err,
					  "'%s' extends this template, directly or through "
					  "others; extend another one",
					  next->name);
	if (lineage->n > TEMPLATE_EXTENDS_MAX)
		return node_error(extends, err, "too many templates extend one another; at most %d",
				  TEMPLATE_EXTENDS_MAX);
	return 0;
}

/* Finds what a template extends: behind itself if that has its own name. */
static int find_parent(struct lineage *lineage, const struct node *extends,
		       const struct template_options *options, struct error *err)
{
	const struct source *child = &lineage->sources[lineage->n - 1];
	bool same_name = child->by_name && strcmp(child->name, extends->text) == 0;
	cleanup_source struct source parent = {0};
	struct error why = {0};
	int r;

	r = source_find(extends->text, options->search, options->trust,
			same_name ? child->rank + 1 : 0, &parent, &why);
	if (r < 0 && same_name && why.kind == ERROR_NOT_FOUND)
		return node_error(extends, err,
				  "a template cannot extend itself, and there is no other '%s' "
				  "behind this one",
				  extends->text);
	if (r < 0) {
		node_error(extends, err, "%s", why.text);
		return why.kind == ERROR_REFUSED ? error_kind_set(err, why.kind) : err->code;
	}
	r = check_chain(lineage, extends, &parent, err);
	if (r < 0)
		return r;
	lineage->sources[lineage->n++] = parent;
	parent = (struct source){0};
	return 0;
}

static const struct keyword whole = {.inner = template_keywords};

/* Reads the source that was added last and all that it extends; each ends up below root. */
static int load_last(struct lineage *lineage, const struct template_options *options,
		     struct node **ret_root, struct error *err)
{
	cleanup_node struct node *root = NULL, *base = NULL;
	cleanup_free char *name = NULL;
	const char *extends;
	int r;

	r = parse_source(&lineage->sources[lineage->n - 1], &root, &name, err);
	if (r < 0)
		return r;
	if (!lineage->name)
		lineage->name = steal_ptr(name);
	r = literal_name(root, "extends", &type_extends, &extends, err);
	if (r < 0)
		return r;
	if (!extends) {
		*ret_root = steal_ptr(root);
		return 0;
	}
	r = find_parent(lineage, node_find(root, "extends"), options, err);
	if (r < 0)
		return r;
	r = load_last(lineage, options, &base, err);
	if (r < 0)
		return r;
	merge(&whole, base, root);
	*ret_root = steal_ptr(base);
	return 0;
}

int lineage_load(struct lineage *lineage, struct source *source,
		 const struct template_options *options, struct error *err)
{
	struct node *root = NULL;
	int r;

	lineage->sources[lineage->n++] = *source;
	*source = (struct source){0};
	r = load_last(lineage, options, &root, err);
	if (r < 0)
		return r;
	lineage->root = root;
	return 0;
}
