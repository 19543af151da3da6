/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a table of keywords along a mapping; see keywords.h. */
#include "templates/keywords.h"
#include "base/text.h"

#include <string.h>

#define TABLE_MAX 32

const struct keyword *keyword_find(const struct keyword *table, const char *name)
{
	for (; table && table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

/* What can stand below a key that is a mapping and nothing else. */
static void list_keys(const struct keyword *table, struct text *ret_list)
{
	for (; table && table->name; table++)
		text_addf(ret_list, "%s%s", ret_list->length ? ", " : "", table->name);
}

static int say_unknown(const struct keyword *table, struct reading *reading,
		       const struct node *node)
{
	const char *names[TABLE_MAX] = {0}, *near;
	cleanup_text struct text known = {0};

	for (size_t i = 0; table[i].name && i + 1 < TABLE_MAX; i++)
		names[i] = table[i].name;
	near = nearest_word(node->key->text, names);
	if (near)
		return node_key_error(node, reading->err, "unknown key; did you mean '%s'?", near);
	list_keys(table, &known);
	return node_key_error(node, reading->err, "unknown key; possible are %s", known.data);
}

static int say_missing(const struct keyword *keyword, struct reading *reading,
		       const struct node *mapping)
{
	cleanup_text struct text known = {0};

	if (keyword->type)
		return node_error(mapping, reading->err, "the key '%s' is missing; %s",
				  keyword->name, keyword->type->right);
	list_keys(keyword->inner, &known);
	return node_error(mapping, reading->err,
			  "the key '%s' is missing; write it with some of the keys %s below it",
			  keyword->name, known.data);
}

/* "http, tcp, log or command". */
static void list_choices(const struct keyword *table, struct text *ret_list)
{
	const struct keyword *last = NULL;

	for (; table && table->name; table++) {
		if (!table->choice)
			continue;
		if (last)
			text_addf(ret_list, "%s%s", ret_list->length ? ", " : "", last->name);
		last = table;
	}
	if (last)
		text_addf(ret_list, " or %s", last->name);
}

static int check_choices(const struct keyword *table, struct reading *reading,
			 const struct node *mapping)
{
	cleanup_text struct text list = {0};
	const struct node *second = NULL;
	size_t n = 0;
	bool any = false;

	for (const struct keyword *keyword = table; keyword->name; keyword++)
		any = any || keyword->choice;
	for (size_t i = 0; i < mapping->n_items; i++)
		if (keyword_find(table, mapping->items[i]->key->text)->choice && ++n == 2)
			second = mapping->items[i];
	if (!any || n == 1)
		return 0;
	list_choices(table, &list);
	if (second)
		return node_key_error(second, reading->err,
				      "cannot stand beside another; write exactly one of %s",
				      list.data);
	return node_error(mapping, reading->err, "is incomplete; write one of %s", list.data);
}

static int check_keys(const struct keyword *table, struct reading *reading,
		      const struct node *mapping)
{
	for (size_t i = 0; i < mapping->n_items; i++)
		if (!keyword_find(table, mapping->items[i]->key->text))
			return say_unknown(table, reading, mapping->items[i]);
	for (; table && table->name; table++)
		if ((table->flags & KEYWORD_REQUIRED) && !node_find(mapping, table->name))
			return say_missing(table, reading, mapping);
	return 0;
}

static int say_no_mapping(const struct keyword *keyword, struct reading *reading,
			  const struct node *node)
{
	cleanup_text struct text known = {0};

	list_keys(keyword->inner, &known);
	return node_error(node, reading->err,
			  "is not a mapping; write some of the keys %s below it, indented",
			  known.data);
}

static int read_value(const struct keyword *keyword, struct reading *reading,
		      const struct node *node, void *base)
{
	if (keyword->set)
		return keyword->set(reading, keyword, node);
	/* a section whose lines are all commented out is an empty one */
	if (keyword->inner && (node->kind == NODE_MAPPING || node_is_null(node)))
		return keywords_read(keyword->inner, reading, node, base);
	if (!keyword->type)
		return say_no_mapping(keyword, reading, node);
	return keyword->type->read(reading, keyword->type, node, (char *)base + keyword->offset);
}

int keywords_read(const struct keyword *table, struct reading *reading, const struct node *mapping,
		  void *base)
{
	bool inside = reading->inside;
	int r;

	r = check_keys(table, reading, mapping);
	if (r == 0 && mapping->kind == NODE_MAPPING)
		r = check_choices(table, reading, mapping);
	for (; r == 0 && table->name; table++) {
		const struct node *node = node_find(mapping, table->name);

		if (!node)
			continue;
		reading->inside = inside || (table->flags & KEYWORD_INSIDE);
		r = read_value(table, reading, node, base);
		if (r == 0 && table->check)
			r = table->check(reading, table, node);
	}
	reading->inside = inside;
	return r;
}

int keywords_set_defaults(const struct keyword *table, struct reading *reading, void *base)
{
	int r = 0;

	for (; r == 0 && table->name; table++) {
		struct node node = {
			.kind = NODE_SCALAR,
			.file = "built-in default",
			.text = (char *)table->fallback,
		};

		if (table->fallback && !(table->flags & KEYWORD_PROSE))
			r = table->type->read(reading, table->type, &node,
					      (char *)base + table->offset);
		if (r == 0 && table->inner && !table->set)
			r = keywords_set_defaults(table->inner, reading, base);
	}
	return r;
}
