/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml's events into a tree of nodes; see document.h. The only file that knows libyaml. Events
 * are taken one by one, so that a bound ends the work when it is passed, not after the text was
 * read; libyaml itself bounds how far it looks ahead (1,024 characters).
 */
#include "templates/document.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct reader {
	yaml_parser_t parser;
	const char *file, *text;
	size_t length;
	unsigned depth;
	size_t n_nodes;
	struct error *err;
};

#define cleanup_event cleanup(yaml_event_delete)

/* What people mostly did when libyaml says this. */
static const struct {
	const char *problem, *hint;
} hints[] = {
	{"found character that cannot start any token",
	 "indent with blanks, not with tabs, and quote a value that starts with @, ` or %"},
	{"mapping values are not allowed in this context",
	 "quote a value that contains ': ', and check the indentation"},
	{"did not find expected key", "check the indentation of this line and the one before"},
	{"could not find expected ':'", "write 'KEY: VALUE', with a blank behind the colon"},
	{"did not find expected ',' or ']'",
	 "close the list with ']', and quote a word in it that has one of {}[],"},
	{"did not find expected ',' or '}'",
	 "close the mapping with '}', and quote a value in it that has one of {}[],"},
	{"found unexpected end of stream", "close the quote"},
	{"did not find expected <document start>", "a file holds one mapping and nothing else"},
};

static const char *hint_for(const char *problem)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (strcmp(hints[i].problem, problem) == 0)
			return hints[i].hint;
	return "write 'KEY: VALUE' lines, and indent with blanks what stands below a key";
}

static struct node node_at(const struct reader *reader, const yaml_mark_t *mark)
{
	return (struct node){
		.file = reader->file,
		.line = (unsigned)mark->line + 1,
		.column = (unsigned)mark->column + 1,
	};
}

static struct node node_at_offset(const struct reader *reader, size_t offset)
{
	struct node at = {.file = reader->file, .line = 1, .column = 1};

	for (size_t i = 0; i < offset && i < reader->length; i++) {
		at.column++;
		if (reader->text[i] == '\n') {
			at.line++;
			at.column = 1;
		}
	}
	return at;
}

/* A byte that is no text has no mark, only an offset. */
static int say_bad_byte(const struct reader *reader)
{
	struct node at = node_at_offset(reader, reader->parser.problem_offset);

	return node_error(&at, reader->err,
			  "the text is not UTF-8 or has a control character (%s); save it as "
			  "UTF-8 text",
			  reader->parser.problem);
}

static int say_not_yaml(const struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	struct node at = node_at(reader, &parser->problem_mark);

	if (parser->error == YAML_MEMORY_ERROR)
		return error_set(reader->err, ENOMEM, "cannot read '%s'", reader->file);
	if (parser->error == YAML_READER_ERROR)
		return say_bad_byte(reader);
	return node_error(&at, reader->err, "not YAML: %s%s%s; %s",
			  parser->context ? parser->context : "", parser->context ? ", " : "",
			  parser->problem, hint_for(parser->problem));
}

static int next_event(struct reader *reader, yaml_event_t *ret_event)
{
	return yaml_parser_parse(&reader->parser, ret_event) ? 0 : say_not_yaml(reader);
}

/* What the three kinds of nodes have in common in libyaml's events. */
struct event_view {
	const yaml_char_t *anchor, *tag, *value;
	size_t length;
	bool is_alias;
};

static struct event_view view_of(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return (struct event_view){
			.anchor = event->data.scalar.anchor,
			.tag = event->data.scalar.tag,
			.value = event->data.scalar.value,
			.length = event->data.scalar.length,
		};
	case YAML_SEQUENCE_START_EVENT:
		return (struct event_view){
			.anchor = event->data.sequence_start.anchor,
			.tag = event->data.sequence_start.tag,
		};
	case YAML_MAPPING_START_EVENT:
		return (struct event_view){
			.anchor = event->data.mapping_start.anchor,
			.tag = event->data.mapping_start.tag,
		};
	default:
		return (struct event_view){.is_alias = true};
	}
}

static int check_node(struct reader *reader, const struct node *node, const struct event_view *view)
{
	if (view->is_alias || view->anchor)
		return node_error(node, reader->err,
				  "anchors (&name) and aliases (*name) are not allowed; write the "
				  "value again, or use params and ${name}");
	if (view->tag)
		return node_error(node, reader->err,
				  "tags (!type) are not allowed; write the plain value");
	if (view->value && memchr(view->value, '\0', view->length))
		return node_error(node, reader->err,
				  "contains a NUL character; no path, name or argument can");
	if (reader->depth >= DOCUMENT_DEPTH_MAX)
		return node_error(node, reader->err, "is nested too deeply; at most %d levels",
				  DOCUMENT_DEPTH_MAX);
	if (++reader->n_nodes > DOCUMENT_NODES_MAX)
		return node_error(node, reader->err,
				  "the document is too large; at most %d keys and values",
				  DOCUMENT_NODES_MAX);
	return 0;
}

/*
 * The next node with everything in it, or NULL when the collection that is being read ends. Takes
 * key over, whatever happens.
 */
static int read_node(struct reader *reader, const struct node *parent, struct node *key,
		     struct node **ret_node);

static int read_sequence(struct reader *reader, struct node *sequence)
{
	for (;;) {
		struct node *item;
		int r = read_node(reader, sequence, NULL, &item);

		if (r < 0 || !item)
			return r;
		node_attach(sequence, item);
	}
}

static int compare_keys(const void *a, const void *b)
{
	const struct node *first = *(struct node *const *)a, *second = *(struct node *const *)b;
	int order = strcmp(first->key->text, second->key->text);

	if (order)
		return order;
	if (first->key->line != second->key->line)
		return first->key->line < second->key->line ? -1 : 1;
	return first->key->column < second->key->column ? -1 : 1;
}

/* By sorting: comparing every pair of 5,000 keys would take longer than all the rest. */
static int check_duplicates(struct reader *reader, const struct node *mapping)
{
	size_t size = mapping->n_items * sizeof(struct node *);
	cleanup_free struct node **sorted = xcalloc(mapping->n_items, sizeof(struct node *));

	if (mapping->n_items < 2)
		return 0;
	memcpy(sorted, mapping->items, size);
	qsort(sorted, mapping->n_items, sizeof(struct node *), compare_keys);
	for (size_t i = 1; i < mapping->n_items; i++)
		if (strcmp(sorted[i - 1]->key->text, sorted[i]->key->text) == 0)
			return node_key_error(sorted[i], reader->err,
					      "is given twice, first in line %u; remove one",
					      sorted[i - 1]->key->line);
	return 0;
}

static int read_mapping(struct reader *reader, struct node *mapping)
{
	for (;;) {
		cleanup_node struct node *key = NULL;
		struct node *value;
		int r = read_node(reader, mapping, NULL, &key);

		if (r < 0)
			return r;
		if (!key)
			return check_duplicates(reader, mapping);
		if (key->kind != NODE_SCALAR)
			return node_error(key, reader->err, "a key must be a word, not a %s",
					  key->kind == NODE_MAPPING ? "mapping" : "list");
		r = read_node(reader, mapping, steal_ptr(key), &value);
		if (r < 0)
			return r;
		node_attach(mapping, value);
	}
}

static int read_items(struct reader *reader, struct node *node)
{
	int r = 0;

	reader->depth++;
	if (node->kind == NODE_SEQUENCE)
		r = read_sequence(reader, node);
	else if (node->kind == NODE_MAPPING)
		r = read_mapping(reader, node);
	reader->depth--;
	return r;
}

static struct node *new_node(const struct reader *reader, const yaml_event_t *event)
{
	struct node *node = xcalloc(1, sizeof(*node));

	*node = node_at(reader, &event->start_mark);
	if (event->type == YAML_SEQUENCE_START_EVENT) {
		node->kind = NODE_SEQUENCE;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		node->kind = NODE_MAPPING;
	} else if (event->type == YAML_SCALAR_EVENT) {
		node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
		node->text = xstrdup((const char *)event->data.scalar.value);
	}
	return node;
}

static int read_node(struct reader *reader, const struct node *parent, struct node *key,
		     struct node **ret_node)
{
	cleanup_node struct node *owned_key = key, *node = NULL;
	cleanup_event yaml_event_t event = {0};
	struct event_view view;
	int r;

	r = next_event(reader, &event);
	if (r < 0)
		return r;
	if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
		*ret_node = NULL;
		return 0;
	}
	node = new_node(reader, &event);
	node->parent = parent;
	node->key = steal_ptr(owned_key);
	view = view_of(&event);
	r = check_node(reader, node, &view);
	if (r == 0)
		r = read_items(reader, node);
	if (r == 0)
		*ret_node = steal_ptr(node);
	return r;
}

/* Whether a line starts at offset; YAML 1.1 has more line breaks than ASCII does. */
static bool starts_line(const struct reader *reader, size_t offset)
{
	static const char *const breaks[] = {"\n", "\r", "\xc2\x85", "\xe2\x80\xa8",
					     "\xe2\x80\xa9"};

	for (size_t i = 0; i < ARRAY_SIZE(breaks); i++) {
		size_t length = strlen(breaks[i]);

		if (offset >= length &&
		    memcmp(reader->text + offset - length, breaks[i], length) == 0)
			return true;
	}
	return offset == 0;
}

/* libyaml compares every %TAG with all before it: a megabyte of them takes it seconds. */
static int refuse_directives(struct reader *reader)
{
	const char *end = reader->text + reader->length, *sign = reader->text;

	while ((sign = memchr(sign, '%', (size_t)(end - sign)))) {
		size_t offset = (size_t)(sign - reader->text);
		struct node at;

		if (starts_line(reader, offset)) {
			at = node_at_offset(reader, offset);
			return node_error(&at, reader->err,
					  "directives (%%NAME) are not allowed; no line may start "
					  "with '%%'");
		}
		sign++;
	}
	return 0;
}

/* Takes the events that surround the document; *ret_empty when there is none. */
static int open_document(struct reader *reader, bool *ret_empty)
{
	*ret_empty = false;
	for (int i = 0; i < 2; i++) {
		cleanup_event yaml_event_t event = {0};
		int r = next_event(reader, &event);

		if (r < 0)
			return r;
		*ret_empty = event.type == YAML_STREAM_END_EVENT;
	}
	return 0;
}

static int close_document(struct reader *reader)
{
	for (int i = 0; i < 2; i++) {
		cleanup_event yaml_event_t event = {0};
		struct node at;
		int r = next_event(reader, &event);

		if (r < 0)
			return r;
		at = node_at(reader, &event.start_mark);
		if (event.type == YAML_DOCUMENT_START_EVENT)
			return node_error(&at, reader->err,
					  "a second document starts here; a file holds one, "
					  "without further '---'");
	}
	return 0;
}

/* As YAML has it: no document is a value that was left out. */
static struct node *empty_root(const struct reader *reader)
{
	struct node *root = xcalloc(1, sizeof(*root));

	*root = (struct node){
		.kind = NODE_SCALAR, .file = reader->file, .line = 1, .column = 1, .plain = true};
	root->text = xstrdup("");
	return root;
}

static int read_document(struct reader *reader, struct node **ret_root)
{
	cleanup_node struct node *root = NULL;
	bool empty = true;
	int r;

	r = refuse_directives(reader);
	if (r == 0)
		r = open_document(reader, &empty);
	if (r < 0)
		return r;
	if (empty) {
		*ret_root = empty_root(reader);
		return 0;
	}
	r = read_node(reader, NULL, NULL, &root);
	if (r == 0)
		r = close_document(reader);
	if (r == 0)
		*ret_root = steal_ptr(root);
	return r;
}

static void reader_deinit(struct reader *reader)
{
	yaml_parser_delete(&reader->parser);
}

int document_parse(const char *file, const char *text, size_t length, struct node **ret_root,
		   struct error *err)
{
	const struct node top = {.file = file, .line = 1, .column = 1};
	cleanup(reader_deinit) struct reader reader = {
		.file = file,
		.text = text,
		.length = length,
		.err = err,
	};

	if (length > DOCUMENT_SIZE_MAX)
		return node_error(&top, err, "the file is too large; at most %d KiB",
				  DOCUMENT_SIZE_MAX >> 10);
	if (length >= strlen(BYTE_ORDER_MARK) &&
	    memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
		reader.text += strlen(BYTE_ORDER_MARK);
		reader.length -= strlen(BYTE_ORDER_MARK);
	}
	if (!yaml_parser_initialize(&reader.parser))
		return error_set(err, ENOMEM, "cannot read '%s'", file);
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.text,
				     reader.length);
	return read_document(&reader, ret_root);
}
