/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes in XML; see edit.h. The document is walked tag by tag; what is not well-formed as far
 * as tags go is refused, since nobody could say then what a change means.
 */
#include "edit/formats.h"
#include "edit/xml_path.h"
#include "plan/characters.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

#define DEPTH_MAX 256

struct xml {
	struct source from;
	size_t at;
	const struct xml_path *path;
	struct xml_word open[DEPTH_MAX];
	size_t depth;
	size_t matched; /* of the open elements, from the outermost on, with steps */
	bool had_element;
	size_t found; /* elements that match */
	size_t tag;   /* behind the name of the first of them */
	struct error *err;
};

struct attribute {
	struct xml_word name, value;
	size_t end; /* behind the closing quote */
};

static int say_malformed(const struct xml *xml, const char *what)
{
	size_t line = 1;

	for (size_t i = 0; i < xml->at && i < xml->from.length; i++)
		line += xml->from.data[i] == '\n';
	return error_say(xml->err, ERROR_FAILED, "is not well-formed XML: %s in line %zu", what,
			 line);
}

static bool starts_with(const struct xml *xml, const char *string)
{
	size_t n = strlen(string);

	return xml->from.length - xml->at >= n && memcmp(xml->from.data + xml->at, string, n) == 0;
}

/* Moves behind the string; to the end and false when it does not come. */
static bool skip_past(struct xml *xml, const char *string)
{
	const char *found = memmem(xml->from.data + xml->at, xml->from.length - xml->at, string,
				   strlen(string));

	xml->at = found ? (size_t)(found - xml->from.data) + strlen(string) : xml->from.length;
	return found;
}

static size_t skip_blanks(struct source from, size_t at)
{
	while (at < from.length && strchr(" \t\r\n", from.data[at]))
		at++;
	return at;
}

static struct xml_word name_at(struct source from, size_t at)
{
	size_t end = at;

	while (end < from.length && !xml_ends_name(from.data[end]))
		end++;
	return (struct xml_word){from.data + at, end - at};
}

static bool is_same(struct xml_word a, struct xml_word b)
{
	return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

/* Comments, instructions and quoted strings hide what would end a declaration. */
static bool skip_in_declaration(struct xml *xml, int *depth)
{
	char quote[2] = {xml->from.data[xml->at], '\0'};

	if (starts_with(xml, "<!--"))
		return skip_past(xml, "-->");
	if (starts_with(xml, "<?"))
		return skip_past(xml, "?>");
	xml->at++;
	if (*quote == '"' || *quote == '\'')
		return skip_past(xml, quote);
	*depth += (*quote == '<' || *quote == '[') - (*quote == '>' || *quote == ']');
	return true;
}

/* "<!DOCTYPE ...>", with what stands in brackets. */
static int skip_declaration(struct xml *xml)
{
	int depth = 0;

	do {
		if (xml->at >= xml->from.length || !skip_in_declaration(xml, &depth))
			return say_malformed(xml, "a declaration does not end");
	} while (depth > 0);
	return 0;
}

/* 1: there is one; 0: the tag ends here. A fault is -EINVAL. */
static int next_attribute(struct source from, size_t *at, struct attribute *ret_attribute)
{
	struct attribute found;
	const char *end;
	size_t next = skip_blanks(from, *at);

	if (next >= from.length)
		return -1;
	if (from.data[next] == '>' || from.data[next] == '/')
		return 0;
	found.name = name_at(from, next);
	next = skip_blanks(from, next + found.name.length);
	if (!found.name.length || next >= from.length || from.data[next] != '=')
		return -1;
	next = skip_blanks(from, next + 1);
	if (next >= from.length || (from.data[next] != '"' && from.data[next] != '\''))
		return -1;
	end = memchr(from.data + next + 1, from.data[next], from.length - next - 1);
	if (!end)
		return -1;
	found.value = (struct xml_word){from.data + next + 1, (size_t)(end - from.data) - next - 1};
	*at = found.end = (size_t)(end - from.data) + 1;
	*ret_attribute = found;
	return 1;
}

static void put_utf8(struct text *to, uint32_t code)
{
	static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	char bytes[4];

	for (size_t i = n; i-- > 1; code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3f));
	bytes[0] = (char)(n == 1 ? code : marks[n] | code);
	text_add_bytes(to, bytes, n);
}

/* "&name;" at the start of the text: adds what it stands for, and returns its length, or 0. */
static size_t put_reference(struct text *to, const char *at, size_t length)
{
	static const struct {
		const char *name, *meant;
	} entities[] = {
		{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}, {"&apos;", "'"}};
	const char *end = memchr(at, ';', length < 12 ? length : 12);
	size_t n = end ? (size_t)(end - at) + 1 : 0;
	char digits[12] = "", *rest;
	unsigned long code;

	for (size_t i = 0; i < ARRAY_SIZE(entities); i++)
		if (n == strlen(entities[i].name) && memcmp(at, entities[i].name, n) == 0) {
			text_add(to, entities[i].meant);
			return n;
		}
	if (n < 4 || at[1] != '#')
		return 0;
	memcpy(digits, at + 2, n - 3);
	code = *digits == 'x' ? strtoul(digits + 1, &rest, 16) : strtoul(digits, &rest, 10);
	if (*rest || !code || code > 0x10ffff)
		return 0;
	put_utf8(to, (uint32_t)code);
	return n;
}

/* Whether the value, as it is written, means that. */
static bool means(struct xml_word value, struct xml_word wanted)
{
	cleanup_text struct text meant = {0};

	for (size_t i = 0, n; i < value.length; i += n) {
		n = value.at[i] == '&' ? put_reference(&meant, value.at + i, value.length - i) : 0;
		if (!n)
			text_add_bytes(&meant, value.at + i, n = 1);
	}
	return is_same((struct xml_word){meant.data ? meant.data : "", meant.length}, wanted);
}

static bool find_attribute(struct source from, size_t tag, struct xml_word name,
			   struct attribute *ret_attribute)
{
	while (next_attribute(from, &tag, ret_attribute) > 0)
		if (is_same(ret_attribute->name, name))
			return true;
	return false;
}

static bool is_step(const struct xml *xml, struct xml_word name, size_t tag)
{
	const struct xml_step *step = &xml->path->steps[xml->matched];
	struct attribute attribute;

	if (xml->matched != xml->depth || xml->matched == xml->path->n_steps ||
	    !is_same(name, step->name))
		return false;
	for (size_t i = 0; i < step->n_conditions; i++)
		if (!find_attribute(xml->from, tag, step->conditions[i].name, &attribute) ||
		    !means(attribute.value, step->conditions[i].value))
			return false;
	return true;
}

static int push(struct xml *xml, struct xml_word name, bool is_match)
{
	if (xml->depth == DEPTH_MAX)
		return error_say(xml->err, ERROR_FAILED, "has more than %d elements in one another",
				 DEPTH_MAX);
	xml->open[xml->depth++] = name;
	xml->matched += is_match;
	return 0;
}

static int read_start_tag(struct xml *xml)
{
	struct xml_word name = name_at(xml->from, xml->at + 1);
	size_t tag = xml->at + 1 + name.length, at = tag;
	struct attribute attribute;
	bool is_match;
	int r;

	if (!name.length)
		return say_malformed(xml, "a '<' that begins no tag");
	if (xml->had_element && !xml->depth)
		return say_malformed(xml, "a second document");
	while ((r = next_attribute(xml->from, &at, &attribute)) > 0)
		;
	if (r < 0)
		return say_malformed(xml, "a tag that does not end, or whose attributes are wrong");
	is_match = is_step(xml, name, tag);
	if (is_match && xml->matched + 1 == xml->path->n_steps && ++xml->found == 1)
		xml->tag = tag;
	xml->had_element = true;
	xml->at = skip_blanks(xml->from, at);
	if (starts_with(xml, "/>")) {
		xml->at += 2;
		return 0;
	}
	if (!starts_with(xml, ">"))
		return say_malformed(xml, "a tag with a '/' in it");
	xml->at++;
	return push(xml, name, is_match);
}

static int read_end_tag(struct xml *xml)
{
	struct xml_word name = name_at(xml->from, xml->at + 2);
	size_t at = skip_blanks(xml->from, xml->at + 2 + name.length);

	if (!xml->depth || !is_same(name, xml->open[xml->depth - 1]) || at >= xml->from.length ||
	    xml->from.data[at] != '>')
		return say_malformed(xml, "an end of what is not the innermost element");
	xml->at = at + 1;
	xml->depth--;
	if (xml->matched > xml->depth)
		xml->matched = xml->depth;
	return 0;
}

/* At a '<'. */
static int read_markup(struct xml *xml)
{
	static const struct {
		const char *start, *end;
	} skipped[] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};

	for (size_t i = 0; i < ARRAY_SIZE(skipped); i++)
		if (starts_with(xml, skipped[i].start)) {
			size_t start = xml->at;

			if (skip_past(xml, skipped[i].end))
				return 0;
			xml->at = start;
			return say_malformed(xml, "a comment or the like that does not end");
		}
	if (starts_with(xml, "<!"))
		return skip_declaration(xml);
	return starts_with(xml, "</") ? read_end_tag(xml) : read_start_tag(xml);
}

static int find_element(struct xml *xml)
{
	int r = 0;

	while (r == 0) {
		const char *next =
			memchr(xml->from.data + xml->at, '<', xml->from.length - xml->at);

		if (!next)
			break;
		xml->at = (size_t)(next - xml->from.data);
		r = read_markup(xml);
	}
	if (r < 0)
		return r;
	if (xml->depth)
		return say_malformed(xml, "an element that does not end");
	if (!xml->found)
		return error_say(xml->err, ERROR_FAILED,
				 "is not there: no element matches; 'edit' adds attributes, and no "
				 "elements");
	if (xml->found > 1)
		return error_say(
			xml->err, ERROR_FAILED,
			"is there %zu times; say which one, with [@NAME='VALUE'] behind an "
			"element",
			xml->found);
	return 0;
}

/* In any encoding that has ASCII in it, and in quotes of either kind. */
static void put_value(struct text *to, const char *value)
{
	uint32_t code;

	while (*value) {
		const char *at = value;

		if (characters_take(&value, &code) < 0)
			code = (unsigned char)*value++;
		if (code >= 0x80 || code < ' ' || strchr("<>&\"'", (int)code))
			text_addf(to, "&#%u;", code);
		else
			text_add_bytes(to, at, 1);
	}
}

static size_t end_of_attributes(struct source from, size_t tag)
{
	struct attribute attribute;

	while (next_attribute(from, &tag, &attribute) > 0)
		;
	return tag;
}

int xml_set(struct source from, const struct plan_edit_key *key, struct text *ret_text,
	    struct error *err)
{
	cleanup_text struct text value = {0};
	struct attribute attribute;
	struct xml_path path;
	struct xml xml = {.from = from, .path = &path, .err = err};
	size_t start, end;
	int r = xml_path_parse(key->name, &path, err);

	if (r == 0)
		r = find_element(&xml);
	if (r < 0)
		return r;
	if (find_attribute(from, xml.tag, path.attribute, &attribute)) {
		start = (size_t)(attribute.value.at - from.data);
		end = start + attribute.value.length;
		put_value(&value, key->value);
	} else {
		start = end = end_of_attributes(from, xml.tag);
		text_addf(&value, " %.*s=\"", (int)path.attribute.length, path.attribute.at);
		put_value(&value, key->value);
		text_add(&value, "\"");
	}
	edit_splice(from, start, end, &value, ret_text);
	return 0;
}

int xml_check(const struct plan_edit_key *key, struct error *err)
{
	struct xml_path path;

	return xml_path_parse(key->name, &path, err);
}
