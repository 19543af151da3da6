/* SPDX-License-Identifier: Apache-2.0 */
/* Files with sections; see edit.h. */
#include "edit/formats.h"
#include "base/cleanup.h"

#include <string.h>

struct line {
	size_t start, end, next; /* end: without what ends the line, and blanks before that */
	size_t first;		 /* what is no blank; end: there is none */
};

struct ini {
	struct source from;
	const struct plan_edit_key *key;
	bool inside; /* the section */
	bool has_section;
	size_t insert;	   /* behind the last line of the section that says anything */
	bool is_open;	   /* that line may go on in the next one */
	bool is_last;	   /* no line that says anything has come since */
	size_t found;	   /* lines with the key */
	size_t start, end; /* of its value */
	size_t indent;	   /* of the line before, if that has the key */
	bool bare;	   /* there is no separator */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static struct line read_line(struct source from, size_t start)
{
	const char *newline = memchr(from.data + start, '\n', from.length - start);
	struct line line = {.start = start, .first = start};

	line.end = newline ? (size_t)(newline - from.data) : from.length;
	line.next = newline ? line.end + 1 : line.end;
	while (line.end > start && is_blank(from.data[line.end - 1]))
		line.end--;
	while (line.first < line.end && is_blank(from.data[line.first]))
		line.first++;
	return line;
}

static bool is_same(struct source from, size_t start, size_t end, const char *string)
{
	return string && strlen(string) == end - start &&
	       memcmp(from.data + start, string, end - start) == 0;
}

static void read_header(struct ini *ini, const struct line *line)
{
	struct source from = ini->from;
	size_t start = line->first + 1, end;
	const char *close = memchr(from.data + start, ']', line->end - start);

	end = close ? (size_t)(close - from.data) : line->end;
	while (start < end && is_blank(from.data[start]))
		start++;
	while (end > start && is_blank(from.data[end - 1]))
		end--;
	ini->inside = is_same(from, start, end, ini->key->section);
	if (ini->inside)
		ini->has_section = true;
}

static bool has_key(const struct ini *ini, const struct line *line, size_t *ret_at)
{
	size_t n = strlen(ini->key->name), at = line->first + n;

	if (at > line->end || memcmp(ini->from.data + line->first, ini->key->name, n) != 0)
		return false;
	while (at < line->end && is_blank(ini->from.data[at]))
		at++;
	*ret_at = at;
	return at == line->end || ini->from.data[at] == '=' || ini->from.data[at] == ':';
}

static int say_goes_on(struct error *err)
{
	return error_say(err, ERROR_FAILED,
			 "goes on in the next line, as far as can be told; such a value cannot be "
			 "set in an ini file");
}

static int read_key(struct ini *ini, const struct line *line, size_t at, struct error *err)
{
	const char *data = ini->from.data;

	if (++ini->found > 1)
		return error_say(
			err, ERROR_FAILED,
			"is there more than once, and programs do not agree which one counts");
	ini->bare = at == line->end;
	ini->start = ini->bare ? at : at + 1;
	while (ini->start < line->end && is_blank(data[ini->start]))
		ini->start++;
	ini->end = line->end;
	ini->indent = line->first - line->start;
	return ini->is_open ? say_goes_on(err) : 0;
}

/* The first line behind that says anything: would it go on with what is added there? */
static void leave(struct ini *ini, const struct line *line)
{
	ini->is_open = ini->is_open || (ini->is_last && line->first > line->start);
	ini->is_last = false;
}

static int read_one(struct ini *ini, const struct line *line, struct error *err)
{
	bool is_deeper = line->first - line->start > ini->indent;
	char first = '\0';
	size_t at;

	ini->indent = SIZE_MAX;
	if (line->first < line->end)
		first = ini->from.data[line->first];
	if (!first || first == '#' || first == ';')
		return 0;
	if (is_deeper)
		return say_goes_on(err);
	if (first == '[')
		read_header(ini, line);
	if (!ini->inside) {
		leave(ini, line);
		return 0;
	}
	ini->insert = line->next;
	ini->is_open = ini->from.data[line->end - 1] == '\\';
	ini->is_last = true;
	return first != '[' && has_key(ini, line, &at) ? read_key(ini, line, at, err) : 0;
}

/* A carriage return alone ends no line here. */
static const char *newline_of(struct source from)
{
	const char *first = memchr(from.data, '\n', from.length);

	return first && first > from.data && first[-1] == '\r' ? "\r\n" : "\n";
}

static void add_missing(const struct ini *ini, struct text *to)
{
	size_t at = ini->has_section ? ini->insert : ini->from.length;
	const char *newline = newline_of(ini->from);
	cleanup_text struct text line = {0};

	if (at && at == ini->from.length && ini->from.data[at - 1] != '\n' &&
	    !(at == strlen(BOM) && memcmp(ini->from.data, BOM, at) == 0))
		text_add(&line, newline);
	if (!ini->has_section)
		text_addf(&line, "[%s]%s", ini->key->section, newline);
	text_addf(&line, "%s=%s%s", ini->key->name, ini->key->value, newline);
	edit_splice(ini->from, at, at, &line, to);
}

int ini_set(struct source from, const struct plan_edit_key *key, struct text *ret_text,
	    struct error *err)
{
	size_t n = strlen(BOM);
	size_t at = from.length >= n && memcmp(from.data, BOM, n) == 0 ? n : 0;
	struct ini ini = {.from = from,
			  .key = key,
			  .inside = !key->section,
			  .has_section = !key->section,
			  .insert = at,
			  .is_last = !key->section,
			  .indent = SIZE_MAX};
	cleanup_text struct text value = {0};
	int r = 0;

	while (r == 0 && at < from.length) {
		struct line line = read_line(from, at);

		r = read_one(&ini, &line, err);
		at = line.next;
	}
	if (r < 0)
		return r;
	if (!ini.found && ini.is_open)
		return error_say(err, ERROR_FAILED,
				 "is not there, and cannot be added where a line may go on in the "
				 "next one");
	if (!ini.found) {
		add_missing(&ini, ret_text);
		return 0;
	}
	text_addf(&value, "%s%s", ini.bare ? "=" : "", key->value);
	edit_splice(from, ini.start, ini.end, &value, ret_text);
	return 0;
}

static const char *name_fault(const char *name, const char *forbidden)
{
	if (!*name)
		return "is empty";
	if (is_blank(*name) || is_blank(name[strlen(name) - 1]))
		return "begins or ends with a blank";
	return strpbrk(name, forbidden) ? "has a character that would mean something else" : NULL;
}

static const char *value_fault(const char *value)
{
	size_t n = strlen(value);

	if (strpbrk(value, "\n\r"))
		return "is several lines";
	if (n && (is_blank(*value) || is_blank(value[n - 1])))
		return "begins or ends with a blank";
	return n && value[n - 1] == '\\' ? "ends with a backslash" : NULL;
}

int ini_check(const struct plan_edit_key *key, struct error *err)
{
	const char *fault = name_fault(key->name, "=\n\r");

	if (!fault && (strchr("[;#", *key->name) || strncmp(key->name, BOM, strlen(BOM)) == 0))
		fault = "begins with a character that would mean something else";
	if (fault)
		return error_say(err, ERROR_FAILED, "%s", fault);
	fault = key->section ? name_fault(key->section, "[]\n\r") : NULL;
	if (fault)
		return error_say(err, ERROR_FAILED, "is in a section whose name %s", fault);
	fault = value_fault(key->value);
	if (fault)
		return error_say(err, ERROR_FAILED,
				 "has a value that %s, which not every reader of ini files keeps",
				 fault);
	return 0;
}
