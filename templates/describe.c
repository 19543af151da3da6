/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documentation of the keys, made from the table that reads them: a Markdown table, and a list for
 * the manual page. Nothing here knows a key by name.
 */
#include "templates/config.h"
#include "templates/config_keywords.h"
#include "templates/keywords.h"
#include "templates/template.h"

#include <string.h>

/* One key, with its full name: "ports.NAME.port". */
typedef void put_row(struct text *text, const char *key, const struct keyword *keyword);

/* Calls put for the table's keys and those below them, in reading order. */
static void walk(const struct keyword *table, const char *prefix, put_row *put, struct text *text)
{
	for (; table->name; table++) {
		const char *name = table->flags & KEYWORD_PATHS ? ".PATH" : ".NAME";
		bool names = table->flags & KEYWORD_NAMES;
		cleanup_free char *key =
			xasprintf("%s%s%s", prefix, table->name, names ? name : "");
		cleanup_free char *below = xasprintf("%s.", key);

		put(text, key, table);
		if (table->inner)
			walk(table->inner, below, put, text);
	}
}

static const char *label_of(const struct keyword *keyword)
{
	return keyword->type ? keyword->type->label : "mapping";
}

static void put_markdown_default(struct text *text, const struct keyword *keyword)
{
	if (keyword->flags & KEYWORD_REQUIRED)
		text_add(text, "required");
	else if (!keyword->fallback)
		text_add(text, "");
	else if (keyword->flags & KEYWORD_PROSE)
		text_add(text, keyword->fallback);
	else
		text_addf(text, "`%s`", keyword->fallback);
}

static void put_markdown(struct text *text, const char *key, const struct keyword *keyword)
{
	bool both = keyword->type && keyword->inner;

	text_addf(text, "| `%s` | %s%s | ", key, label_of(keyword), both ? ", or mapping" : "");
	put_markdown_default(text, keyword);
	text_addf(text, " | %s |\n", keyword->doc);
}

static const char markdown_head[] = "| Key | Value | Default | Meaning |\n|---|---|---|---|\n";

void template_keys_markdown(struct text *ret_text)
{
	text_add(ret_text, markdown_head);
	walk(template_keywords, "", put_markdown, ret_text);
}

void config_keys_markdown(struct text *ret_text)
{
	text_add(ret_text, markdown_head);
	walk(config_keywords, "", put_markdown, ret_text);
}

/*
 * A sentence as mdoc text: `x` becomes a quoted literal; a backslash, and a dot or a quote at a
 * line's start, would mean something to the formatter.
 */
static void put_man_text(struct text *text, const char *sentence)
{
	bool open = false;

	for (; *sentence; sentence++) {
		if (*sentence == '`') {
			text_add(text, open ? "\\(cq" : "\\(oq");
			open = !open;
		} else if (*sentence == '\\') {
			text_add(text, "\\e");
		} else {
			text_add_bytes(text, sentence, 1);
		}
	}
}

static void put_man(struct text *text, const char *key, const struct keyword *keyword)
{
	bool both = keyword->type && keyword->inner;

	text_addf(text, ".It Cm %s : Ar %s\n", key, label_of(keyword));
	put_man_text(text, keyword->doc);
	text_add(text, "\n");
	if (both)
		text_add(text, "Also a mapping of the keys below.\n");
	if (keyword->flags & KEYWORD_REQUIRED)
		text_add(text, "Required.\n");
	if (!keyword->fallback)
		return;
	text_add(text, "Default: ");
	put_man_text(text, keyword->fallback);
	text_add(text, ".\n");
}

void template_keys_man(struct text *ret_text)
{
	text_add(ret_text, ".Bl -tag -width Ds\n");
	walk(template_keywords, "", put_man, ret_text);
	text_add(ret_text, ".El\n");
}
