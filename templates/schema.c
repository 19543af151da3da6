/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON schema for editors, made from the table of keys. It accepts whatever stint accepts and
 * marks most of what stint refuses: what depends on several keys, or on the host, is left to
 * "stint template check". A key is never required, because a template may inherit it.
 */
#include "templates/keywords.h"
#include "templates/template.h"

#include <string.h>

static void put_indent(struct text *text, int depth)
{
	text_addf(text, "\n%*s", 2 * depth, "");
}

/* The tables hold printable ASCII only. */
static void put_json(struct text *text, const char *string)
{
	text_add(text, "\"");
	for (; *string; string++) {
		if (*string == '"' || *string == '\\')
			text_add(text, "\\");
		text_add_bytes(text, string, 1);
	}
	text_add(text, "\"");
}

/*
 * Any string may be, or contain, a variable. Some editors take a plain 'no' for a boolean; stint
 * takes every value as it is written.
 */
static void put_scalar(struct text *text, const struct value_type *type)
{
	cleanup_free char *pattern = NULL;

	text_add(text, "{\"type\": [\"string\", \"number\", \"boolean\"]");
	if (type->pattern) {
		pattern = xasprintf("%s|\\$\\{", type->pattern);
		text_add(text, ", \"pattern\": ");
		put_json(text, pattern);
	}
	text_add(text, "}");
}

static void put_list(struct text *text, const struct value_type *type)
{
	text_add(text, "{\"anyOf\": [");
	put_scalar(text, type);
	text_add(text, ", {\"type\": \"array\", \"items\": ");
	put_scalar(text, type);
	text_add(text, "}]}");
}

#define STRINGS                                                         \
	"{\"type\": [\"object\", \"null\"], \"additionalProperties\": " \
	"{\"type\": [\"string\", \"number\", \"boolean\", \"null\"]}}"

static void put_map(struct text *text, const struct value_type *type)
{
	(void)type;
	text_add(text, STRINGS);
}

static void put_settings(struct text *text, const struct value_type *type)
{
	(void)type;
	text_add(text, "{\"type\": \"object\", \"additionalProperties\": {\"anyOf\": ["
		       "{\"type\": [\"string\", \"number\", \"boolean\"]}, " STRINGS "]}}");
}

/* What each entry may hold is said once, below "ready" itself. */
static void put_checks(struct text *text, const struct value_type *type)
{
	(void)type;
	text_add(text, "{\"type\": \"array\", \"items\": {\"type\": \"object\"}}");
}

static void put_word_or_checks(struct text *text, const struct value_type *type)
{
	text_add(text, "{\"anyOf\": [");
	put_scalar(text, type);
	text_add(text, ", ");
	put_checks(text, type);
	text_add(text, "]}");
}

static void put_type(struct text *text, const struct value_type *type)
{
	static void (*const put[])(struct text *, const struct value_type *) = {
		[SHAPE_STRING] = put_scalar, [SHAPE_NUMBER] = put_scalar,
		[SHAPE_LIST] = put_list,     [SHAPE_MAP] = put_map,
		[SHAPE_DEFAULTS] = put_map,  [SHAPE_SETTINGS] = put_settings,
		[SHAPE_CHECKS] = put_checks, [SHAPE_WORD_OR_CHECKS] = put_word_or_checks,
	};

	put[type->shape](text, type);
}

/* At most one of the choices: a template that extends another may leave the choice to that. */
static void put_choices(struct text *text, const struct keyword *table, int depth)
{
	const char *separator = "";

	put_indent(text, depth);
	text_add(text, "\"dependencies\": {");
	for (const struct keyword *one = table; one->name; one++) {
		const char *comma = "";

		if (!one->choice)
			continue;
		text_addf(text, "%s\"%s\": {\"not\": {\"anyOf\": [", separator, one->name);
		for (const struct keyword *other = table; other->name; other++) {
			if (!other->choice || other == one)
				continue;
			text_addf(text, "%s{\"required\": [\"%s\"]}", comma, other->name);
			comma = ", ";
		}
		text_add(text, "]}}");
		separator = ", ";
	}
	text_add(text, "},");
}

static bool has_choices(const struct keyword *table)
{
	for (; table->name; table++)
		if (table->choice)
			return true;
	return false;
}

static void put_property(struct text *text, const struct keyword *keyword, int depth);

static void put_object(struct text *text, const struct keyword *table, int depth)
{
	const struct keyword *keyword;

	text_add(text, "{");
	put_indent(text, depth + 1);
	text_add(text, "\"type\": [\"object\", \"null\"],");
	if (has_choices(table))
		put_choices(text, table, depth + 1);
	put_indent(text, depth + 1);
	text_add(text, "\"additionalProperties\": false,");
	put_indent(text, depth + 1);
	text_add(text, "\"properties\": {");
	for (keyword = table; keyword->name; keyword++) {
		text_add(text, keyword == table ? "" : ",");
		put_indent(text, depth + 2);
		put_property(text, keyword, depth + 2);
	}
	put_indent(text, depth + 1);
	text_add(text, "}");
	put_indent(text, depth);
	text_add(text, "}");
}

/* A value of the type, a mapping of the inner keys, or either. */
static void put_either(struct text *text, const struct keyword *keyword, int depth)
{
	if (!keyword->inner) {
		put_type(text, keyword->type);
		return;
	}
	if (keyword->type) {
		text_add(text, "{\"anyOf\": [");
		put_type(text, keyword->type);
		text_add(text, ", ");
	}
	put_object(text, keyword->inner, depth);
	if (keyword->type)
		text_add(text, "]}");
}

static void put_value(struct text *text, const struct keyword *keyword, int depth)
{
	if (!(keyword->flags & KEYWORD_NAMES)) {
		put_either(text, keyword, depth);
		return;
	}
	text_add(text, "{\"type\": [\"object\", \"null\"], \"propertyNames\": {\"pattern\": ");
	put_json(text, keyword->flags & KEYWORD_PATHS ? "^/|\\$\\{" : type_name.pattern);
	text_add(text, "}, \"additionalProperties\": ");
	put_either(text, keyword, depth);
	text_add(text, "}");
}

static void put_property(struct text *text, const struct keyword *keyword, int depth)
{
	text_addf(text, "\"%s\": {\"description\": ", keyword->name);
	put_json(text, keyword->doc);
	if (keyword->fallback && !(keyword->flags & KEYWORD_PROSE)) {
		text_add(text, ", \"default\": ");
		put_json(text, keyword->fallback);
	}
	text_add(text, ", \"allOf\": [");
	put_value(text, keyword, depth);
	text_add(text, "]}");
}

void template_schema(struct text *ret_text)
{
	text_add(ret_text, "{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n"
			   "  \"title\": \"stint template\",\n  \"allOf\": [");
	put_object(ret_text, template_keywords, 1);
	text_add(ret_text, "]\n}\n");
}
