/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML document as a tree of nodes that know where they were written, read with libyaml. It says
 * nothing of templates. What it reads may be hostile: size, depth and the number of nodes are
 * bounded, and anchors, aliases, tags, duplicate keys and further documents are refused.
 */
#ifndef TEMPLATES_DOCUMENT_H
#define TEMPLATES_DOCUMENT_H

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define DOCUMENT_SIZE_MAX (1 << 20)
#define DOCUMENT_DEPTH_MAX 32
#define DOCUMENT_NODES_MAX 10000

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

struct node {
	enum node_kind kind;
	const char *file; /* borrowed from who had it parsed */
	unsigned line, column;
	bool plain;	     /* scalar without quotes, not a block */
	char *text;	     /* scalar; never holds a NUL */
	struct node *key;    /* in a mapping: the scalar that names this value */
	struct node **items; /* of a sequence or mapping, in the order they were written */
	size_t n_items;
	const struct node *parent;
};

/*
 * Parses text of the given length; file is its name in messages and must outlive the tree. Errors
 * are ERROR_FAILED and read "FILE:LINE:COLUMN: key 'a.b': what is wrong; what would be right".
 * A text without anything but comments is a value that was left out (node_is_null).
 */
int document_parse(const char *file, const char *text, size_t length, struct node **ret_root,
		   struct error *err);

void node_free(struct node *node);
void node_cleanup(struct node **node);
#define cleanup_node cleanup(node_cleanup)

/* The value of key, or NULL; also NULL for what is no mapping. */
struct node *node_find(const struct node *mapping, const char *key);

/* Makes child the last item of parent, which owns it from now on. */
void node_attach(struct node *parent, struct node *child);

/* Frees the item at index and closes the gap. */
void node_remove(struct node *parent, size_t index);

/* A value that was left out: "key:", "key: ~" or "key: null". */
bool node_is_null(const struct node *node);

/* Fills err with position, key and the text; returns its code, to be returned. */
int node_error(const struct node *node, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a key that is wrong itself: its own position. node has a key. */
int node_key_error(const struct node *node, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#ifdef __clang_analyzer__
#define node_error(...) error_is_negative(node_error(__VA_ARGS__))
#define node_key_error(...) error_is_negative(node_key_error(__VA_ARGS__))
#endif

#endif
