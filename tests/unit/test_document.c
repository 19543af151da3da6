/* SPDX-License-Identifier: Apache-2.0 */
/* YAML into nodes: positions, bounds, and what hostile text costs. */
#include "templates/document.h"
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

/* Far more than any of these texts takes, also under sanitizers. */
#define QUICK_SECONDS 1.0

static struct node *parse(const char *text)
{
	struct node *root = NULL;
	struct error err = {0};

	if (document_parse("t.yaml", text, strlen(text), &root, &err) < 0)
		fail_msg("%s", err.text);
	return root;
}

/* Expects the text to be refused quickly, with a message that starts so. */
static void check_refused(const char *text, size_t length, const char *message)
{
	clock_t start = clock();
	struct node *root = NULL;
	struct error err = {0};

	assert_true(document_parse("t.yaml", text, length, &root, &err) < 0);
	assert_null(root);
	assert_memory_equal(err.text, message, strlen(message));
	assert_int_equal(err.kind, ERROR_FAILED);
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < QUICK_SECONDS);
}

static void check_text(const char *text, const char *message)
{
	check_refused(text, strlen(text), message);
}

/* unit, again and again, to just below the size that is refused unread. */
static void check_flood(const char *before, const char *unit, const char *message)
{
	cleanup_text struct text text = {0};

	text_add(&text, before);
	while (text.length + strlen(unit) < DOCUMENT_SIZE_MAX)
		text_add(&text, unit);
	check_refused(text.data, text.length, message);
}

static void document_parse_knows_where_nodes_are(void **state)
{
	cleanup_node struct node *root = parse("a: 1\n\nb:\n  - x\n  - {c: d}\n");
	const struct node *list = node_find(root, "b");

	(void)state;
	assert_int_equal(root->kind, NODE_MAPPING);
	assert_int_equal(root->n_items, 2);
	assert_int_equal(node_find(root, "a")->line, 1);
	assert_int_equal(node_find(root, "a")->column, 4);
	assert_int_equal(list->kind, NODE_SEQUENCE);
	assert_int_equal(list->key->line, 3);
	assert_int_equal(list->key->column, 1);
	assert_int_equal(list->items[1]->kind, NODE_MAPPING);
	assert_int_equal(node_find(list->items[1], "c")->line, 5);
	assert_int_equal(node_find(list->items[1], "c")->column, 9);
	assert_null(node_find(root, "c"));
	assert_null(node_find(list, "c"));
}

static void check_empty(const char *text)
{
	cleanup_node struct node *root = parse(text);

	assert_true(node_is_null(root));
	assert_int_equal(root->line, 1);
	assert_int_equal(root->column, 1);
}

static void document_parse_of_nothing_is_a_value_left_out(void **state)
{
	(void)state;
	check_empty("");
	check_empty("# only\n");
	check_empty("\n\n");
}

static void document_parse_keeps_scalars_as_written(void **state)
{
	cleanup_node struct node *root = parse("a: 0777\nb: no\nc: \"x\\ty\"\nd: |\n  1\n  2\n");

	(void)state;
	assert_string_equal(node_find(root, "a")->text, "0777");
	assert_string_equal(node_find(root, "b")->text, "no");
	assert_string_equal(node_find(root, "c")->text, "x\ty");
	assert_string_equal(node_find(root, "d")->text, "1\n2\n");
}

static void document_parse_takes_byte_order_mark_and_carriage_returns(void **state)
{
	cleanup_node struct node *root = parse("\xef\xbb\xbf"
					       "a: b\r\nc: d\r\n");

	(void)state;
	assert_string_equal(node_find(root, "a")->text, "b");
	assert_int_equal(node_find(root, "c")->line, 2);
}

static void document_parse_refuses_what_is_no_tree_of_nodes(void **state)
{
	(void)state;
	check_text("a: &x 1\n", "t.yaml:1:4: key 'a': anchors (&name)");
	check_text("a: [*x]\n", "t.yaml:1:5: key 'a': anchors (&name)");
	check_text("a: {b: *x}\n", "t.yaml:1:8: key 'a.b': anchors (&name)");
	check_text("a: !!int 1\n", "t.yaml:1:4: key 'a': tags (!type)");
	check_text("a: ! 1\n", "t.yaml:1:4: key 'a': tags (!type)");
	check_text("{a: b}: c\n", "t.yaml:1:1: a key must be a word, not a mapping");
	check_text("? [a]\n: b\n", "t.yaml:1:3: a key must be a word, not a list");
	check_text("a: b\n---\nc: d\n", "t.yaml:2:1: a second document");
	check_text("a: b\n...\nc: d\n",
		   "t.yaml:3:1: not YAML: did not find expected <document start>; "
		   "a file holds one mapping");
	check_text("a: \"x\\0y\"\n", "t.yaml:1:4: key 'a': contains a NUL");
	check_text("\"a\\0b\": c\n", "t.yaml:1:1: contains a NUL");
}

static void document_parse_refuses_duplicate_keys(void **state)
{
	(void)state;
	check_text("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: key 'a': is given twice, first in line 1");
	check_text("x: {b: 2, 'b': 3}\n", "t.yaml:1:11: key 'x.b': is given twice");
	check_text("<<: 1\n<<: 2\n", "t.yaml:2:1: key '<<': is given twice");
}

static void document_parse_explains_what_is_no_yaml(void **state)
{
	(void)state;
	check_text("a:\n\tb: c\n", "t.yaml:2:1: not YAML: while scanning for the next token, found "
				   "character that cannot start any token; indent with blanks");
	check_text("a: b: c\n", "t.yaml:1:5: not YAML: mapping values are not allowed");
	check_text("a: 'b\n", "t.yaml:2:1: not YAML: while scanning a quoted scalar");
	check_text("a: [b\n", "t.yaml:2:1: not YAML: while parsing a flow sequence");
	check_text("a: b\n  c\n d: e\n", "t.yaml:3:3: not YAML:");
	check_text("a: @b\n", "t.yaml:1:4: not YAML:");
	check_text("%YAML 1.1\n---\na: b\n", "t.yaml:1:1: directives (%NAME) are not allowed");
	check_text("a: b\n...\n%TAG ! x\n", "t.yaml:3:1: directives (%NAME)");
	check_text("a: \xff\n", "t.yaml:1:4: the text is not UTF-8");
	check_text("a: b\nc: \x01\n", "t.yaml:2:4: the text is not UTF-8 or has a control");
	check_refused("a: \0", 4, "t.yaml:1:4: the text is not UTF-8 or has a control");
	check_refused("\xff\xfe"
		      "a\0",
		      4, "t.yaml:1:1: the text is not UTF-8");
}

static void document_parse_refuses_more_than_a_mebibyte(void **state)
{
	cleanup_free char *text = xcalloc(DOCUMENT_SIZE_MAX + 1, 1);

	(void)state;
	memset(text, '#', DOCUMENT_SIZE_MAX + 1);
	check_refused(text, DOCUMENT_SIZE_MAX + 1, "t.yaml:1:1: the file is too large");
	text[DOCUMENT_SIZE_MAX] = '\0';
	check_empty(text);
}

static void document_parse_bounds_depth(void **state)
{
	char text[2 * DOCUMENT_DEPTH_MAX + 3] = "";
	struct node *root;

	(void)state;
	memset(text, '[', DOCUMENT_DEPTH_MAX);
	memset(text + DOCUMENT_DEPTH_MAX, ']', DOCUMENT_DEPTH_MAX);
	root = parse(text);
	node_free(root);
	memset(text, '[', DOCUMENT_DEPTH_MAX + 1);
	memset(text + DOCUMENT_DEPTH_MAX + 1, ']', DOCUMENT_DEPTH_MAX + 1);
	check_text(text, "t.yaml:1:33: is nested too deeply; at most 32 levels");
}

static void document_parse_bounds_nodes(void **state)
{
	cleanup_text struct text text = {0};
	struct node *root;

	(void)state;
	/* with the list itself, as many as are allowed */
	for (int i = 1; i < DOCUMENT_NODES_MAX; i++)
		text_add(&text, "- x\n");
	root = parse(text.data);
	node_free(root);
	text_add(&text, "- x\n");
	check_text(text.data, "t.yaml:10000:3: the document is too large; at most 10000");
}

static void document_parse_refuses_floods_quickly(void **state)
{
	(void)state;
	check_flood("", "[", "t.yaml:1:33: is nested too deeply");
	check_flood("", "{", "t.yaml:1:33: is nested too deeply");
	check_flood("", "- ", "t.yaml:1:65: is nested too deeply");
	check_flood("", "? ", "t.yaml:1:65: is nested too deeply");
	check_flood("", "{a: ", "t.yaml:1:126: key 'a.a.a.");
	check_flood("[", "a,", "t.yaml:1:20000: the document is too large");
	check_flood("a: \"", "x", "t.yaml:");
	check_flood("", "&a ", "t.yaml:1:1: anchors");
	check_flood("", "!", "t.yaml:1:1: tags");
	check_flood("", "\"", "t.yaml:1:3: not YAML");
	check_flood("", ": ", "t.yaml:1:1: not YAML");
}

static void document_parse_refuses_many_keys_quickly(void **state)
{
	cleanup_text struct text text = {0}, same = {0};

	(void)state;
	for (int i = 0; i < 100000; i++) {
		text_addf(&text, "k%d: \n", i);
		text_add(&same, "k: \n");
	}
	check_text(text.data, "t.yaml:5000:7: key 'k4999': the document is too large");
	check_text(same.data, "t.yaml:5000:3: key 'k': the document is too large");
}

static void document_parse_refuses_tag_directives_quickly(void **state)
{
	cleanup_text struct text text = {0};

	(void)state;
	for (int i = 0; i < 50000; i++)
		text_addf(&text, "%%TAG !%d! x\n", i);
	text_add(&text, "--- a\n");
	check_text(text.data, "t.yaml:1:1: directives");
}

static void document_parse_refuses_alias_bomb_quickly(void **state)
{
	cleanup_text struct text text = {0};

	(void)state;
	text_add(&text, "a0: [x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 9; i++) {
		text_addf(&text, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++)
			text_addf(&text, "*a%d, ", i - 1);
		text_add(&text, "]\n");
	}
	check_text(text.data, "t.yaml:2:5: key 'a1': anchors (&name) and aliases (*name)");
}

static void node_error_shows_no_control_characters(void **state)
{
	cleanup_node struct node *root = parse("\"a\\e[31m\\nb\": c\n");
	struct error err = {0};

	(void)state;
	assert_int_equal(node_key_error(root->items[0], &err, "is wrong"), -EIO);
	assert_string_equal(err.text, "t.yaml:1:1: key 'a?[31m?b': is wrong");
}

static void node_error_cuts_long_names(void **state)
{
	cleanup_text struct text file = {0}, text = {0};
	cleanup_node struct node *root = NULL;
	struct error err = {0};

	(void)state;
	for (int i = 0; i < 900; i++) {
		text_add(&file, "f");
		text_add(&text, "k");
	}
	text_add(&text, ": v\n");
	assert_int_equal(document_parse(file.data, text.data, text.length, &root, &err), 0);
	node_error(root->items[0], &err, "is wrong; do it right");
	assert_non_null(strstr(err.text, "kkk...': is wrong; do it right"));
	assert_memory_equal(err.text, "...fff", 6);
}

static void node_is_null_tells_left_out_from_empty(void **state)
{
	cleanup_node struct node *root = parse("a:\nb: ~\nc: null\nd: \"\"\ne: 'null'\nf: []\n");

	(void)state;
	assert_true(node_is_null(node_find(root, "a")));
	assert_true(node_is_null(node_find(root, "b")));
	assert_true(node_is_null(node_find(root, "c")));
	assert_false(node_is_null(node_find(root, "d")));
	assert_false(node_is_null(node_find(root, "e")));
	assert_false(node_is_null(node_find(root, "f")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(document_parse_knows_where_nodes_are),
		cmocka_unit_test(document_parse_of_nothing_is_a_value_left_out),
		cmocka_unit_test(document_parse_keeps_scalars_as_written),
		cmocka_unit_test(document_parse_takes_byte_order_mark_and_carriage_returns),
		cmocka_unit_test(document_parse_refuses_what_is_no_tree_of_nodes),
		cmocka_unit_test(document_parse_refuses_duplicate_keys),
		cmocka_unit_test(document_parse_explains_what_is_no_yaml),
		cmocka_unit_test(document_parse_refuses_more_than_a_mebibyte),
		cmocka_unit_test(document_parse_bounds_depth),
		cmocka_unit_test(document_parse_bounds_nodes),
		cmocka_unit_test(document_parse_refuses_floods_quickly),
		cmocka_unit_test(document_parse_refuses_many_keys_quickly),
		cmocka_unit_test(document_parse_refuses_tag_directives_quickly),
		cmocka_unit_test(document_parse_refuses_alias_bomb_quickly),
		cmocka_unit_test(node_error_shows_no_control_characters),
		cmocka_unit_test(node_error_cuts_long_names),
		cmocka_unit_test(node_is_null_tells_left_out_from_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
