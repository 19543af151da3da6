/* SPDX-License-Identifier: Apache-2.0 */
/* The keys "scrub" and "edit" of a template: what is changed in the view; see content.h. */
#include "templates/content.h"
#include "base/path.h"
#include "base/text.h"
#include "edit/edit.h"

#include <string.h>

#define PATTERN "*?["

const char *content_place_fault(const struct plan *plan, const char *path)
{
	static const char *const never[] = {
		"/usr",	  "/bin",    "/sbin", "/lib", "/lib32",
		"/lib64", "/libx32", "/dev",  "/sys", "/proc",
	};

	if (value_may_lie_within(path, plan->install))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (path_is_within(path, never[i]))
			return "is not the instance's to change; it must lie in an install "
			       "directory, in /tmp, /run or /var, or in the home of the server's "
			       "user";
	return NULL;
}

/* A pattern among the directories would need a walk through the whole install. */
static int add_scrub(struct reading *reading, const struct value_type *type,
		     const struct node *node, char ***list)
{
	cleanup_free char *path = NULL;
	const char *pattern, *fault;
	int r = value_path(reading, type, node, &path);

	if (r < 0)
		return r;
	fault = content_place_fault(reading->plan, path);
	if (fault)
		return node_error(node, reading->err, "'%s' %s", path, fault);
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

/* What YAML takes for a key ends soon after (libyaml: 1024 characters, each may need two). */
#define KEY_MAX 500

/* A mapping's key as a value, for what reads and blames values. It matters to the inside only. */
int content_read_key(struct reading *reading, const struct node *node, bool is_path, char **ret_key)
{
	struct node as_value = *node->key;
	bool inside = reading->inside;
	int r;

	as_value.key = node->key;
	as_value.parent = node->parent;
	if (strlen(as_value.text) > KEY_MAX)
		return node_key_error(node, reading->err, "is too long; at most %d bytes", KEY_MAX);
	reading->inside = true;
	r = is_path ? value_path(reading, &type_directory, &as_value, ret_key)
		    : value_expand(reading, &as_value, as_value.text, false, ret_key);
	reading->inside = inside;
	if (r < 0 || strlen(*ret_key) <= KEY_MAX)
		return r;
	free(steal_ptr(*ret_key));
	return node_key_error(node, reading->err, "is too long; at most %d bytes", KEY_MAX);
}

/* Two keys may differ until their variables are replaced. */
int content_say_twice(struct reading *reading, const struct node *node)
{
	return node_key_error(node, reading->err, "is given twice; remove one");
}

int content_check_targets(struct reading *reading, const struct node *node, size_t max)
{
	if (node->kind != NODE_MAPPING && !node_is_null(node))
		return node_error(node, reading->err,
				  "is not a mapping; write the path inside, a colon and what is to "
				  "be done below it, indented");
	if (node->n_items > max)
		return node_error(node, reading->err, "has too many entries; at most %zu", max);
	return 0;
}

static int read_format(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	for (int i = 0; i < EDIT_FORMATS; i++)
		if (strcmp(text, edit_format_names[i]) == 0) {
			*(enum edit_format *)field = (enum edit_format)i;
			return 0;
		}
	return value_wrong(reading, type, node, text);
}

/* What the file's name says; EDIT_FORMATS: nothing. */
static enum edit_format guess_format(const char *target)
{
	static const struct {
		const char *ending;
		enum edit_format format;
	} endings[] = {
		{".properties", EDIT_PROPERTIES},
		{".ini", EDIT_INI},
		{".cnf", EDIT_INI},
		{".xml", EDIT_XML},
	};

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t n = strlen(endings[i].ending), length = strlen(target);

		if (length > n && strcmp(target + length - n, endings[i].ending) == 0)
			return endings[i].format;
	}
	return EDIT_FORMATS;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static struct plan_edit_key *add_setting(struct plan_edit *edit, const char *section)
{
	struct plan_edit_key *key;

	edit->keys = xrealloc(edit->keys, edit->n_keys + 1, sizeof(*edit->keys));
	key = &edit->keys[edit->n_keys++];
	*key = (struct plan_edit_key){.section = section ? xstrdup(section) : NULL};
	return key;
}

static int read_setting(struct reading *reading, const struct value_type *type,
			const struct node *node, const char *section, struct plan_edit *edit)
{
	struct plan_edit_key *key;
	struct error why = {0};
	int r;

	if (edit->n_keys == PLAN_WORDS_MAX)
		return node_error(node, reading->err, "has too many keys; at most %d",
				  PLAN_WORDS_MAX);
	key = add_setting(edit, section);
	r = content_read_key(reading, node, false, &key->name);
	if (r == 0 && node_is_null(node))
		key->value = xstrdup("");
	else if (r == 0)
		r = value_text(reading, type, node, true, &key->value);
	if (r < 0)
		return r;
	for (const struct plan_edit_key *other = edit->keys; other < key; other++)
		if (is_same(other->section, section) && strcmp(other->name, key->name) == 0)
			return content_say_twice(reading, node);
	if (edit_check_key(edit->format, key, &why) < 0)
		return node_key_error(node, reading->err, "%s", why.text);
	return 0;
}

static int read_section(struct reading *reading, const struct value_type *type,
			const struct node *node, struct plan_edit *edit)
{
	cleanup_free char *section = NULL;
	int r = 0;

	if (edit->format != EDIT_INI)
		return node_error(node, reading->err,
				  "is a mapping, and only ini files have sections; write 'KEY: "
				  "VALUE' lines");
	r = content_read_key(reading, node, false, &section);
	for (size_t i = 0; r == 0 && i < edit->n_keys; i++)
		if (is_same(edit->keys[i].section, section))
			r = content_say_twice(reading, node);
	for (size_t i = 0; r == 0 && i < node->n_items; i++)
		r = read_setting(reading, type, node->items[i], section, edit);
	return r;
}

static int read_settings(struct reading *reading, const struct value_type *type,
			 const struct node *node, void *field)
{
	struct plan_edit *edit = field;
	int r = 0;

	if (edit->format == EDIT_FORMATS)
		return node_error(
			node->parent, reading->err,
			"does not say the file's format, nor does its name; write format: "
			"and properties, ini or xml");
	if (node->kind != NODE_MAPPING)
		return value_wrong_form(reading, type, node);
	for (size_t i = 0; r == 0 && i < node->n_items; i++) {
		const struct node *item = node->items[i];

		r = item->kind == NODE_MAPPING ? read_section(reading, type, item, edit)
					       : read_setting(reading, type, item, NULL, edit);
	}
	if (r == 0 && !edit->n_keys)
		return node_error(node, reading->err, "sets nothing; %s", type->right);
	return r;
}

static int read_edit(struct reading *reading, const struct node *node, struct plan_edit *edit)
{
	const struct plan_content *content = &reading->plan->content;
	const char *fault;
	int r = content_read_key(reading, node, true, &edit->target);

	if (r < 0)
		return r;
	for (const struct plan_edit *other = content->edits; other < edit; other++)
		if (strcmp(other->target, edit->target) == 0)
			return content_say_twice(reading, node);
	fault = content_place_fault(reading->plan, edit->target);
	if (fault)
		return node_key_error(node, reading->err, "%s", fault);
	edit->format = guess_format(edit->target);
	r = keywords_read(edit_keywords, reading, node, edit);
	if (r == 0 && edit->create && edit->format == EDIT_XML)
		return node_error(node, reading->err,
				  "would be made without an element to set anything in; leave out "
				  "create, or put a file there with files:");
	return r;
}

int content_set_edits(struct reading *reading, const struct keyword *keyword,
		      const struct node *node)
{
	struct plan_content *content = &reading->plan->content;
	int r = content_check_targets(reading, node, PLAN_EDITS_MAX);

	(void)keyword;
	if (r == 0)
		content->edits = xcalloc(node->n_items, sizeof(*content->edits));
	for (size_t i = 0; r == 0 && i < node->n_items; i++)
		r = read_edit(reading, node->items[i], &content->edits[content->n_edits++]);
	return r;
}

static const struct value_type type_format = {
	.label = "format",
	.right = "write properties, ini or xml",
	.pattern = "^(properties|ini|xml)$",
	.read = read_format,
};

static const struct value_type type_settings = {
	.label = "mapping of keys to values",
	.right = "write 'KEY: VALUE' lines, in an ini file below the section's name",
	.shape = SHAPE_SETTINGS,
	.read = read_settings,
};

const struct keyword edit_keywords[] = {
	{
		.name = "format",
		.type = &type_format,
		.fallback = "by the name's ending: .properties, .ini or .cnf, .xml",
		.doc = "How the file is read: as `properties` of Java, `ini` with sections, or "
		       "`xml`.",
		.offset = offsetof(struct plan_edit, format),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "create",
		.type = &type_switch,
		.fallback = "false",
		.doc = "Whether a file that does not exist is made, as the server's; not for xml.",
		.offset = offsetof(struct plan_edit, create),
	},
	{
		.name = "set",
		.type = &type_settings,
		.doc = "The keys with their values: in an ini file below the names of their "
		       "sections, in xml as `Server/Service[@name='x']/Connector@port`.",
		.flags = KEYWORD_REQUIRED,
	},
	{0},
};
