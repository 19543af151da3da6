/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in the format of java.util.Properties; see edit.h. What is read is the documentation of
 * Properties.load(Reader), and its LineReader where that is silent: a comment does not go on after
 * a backslash, a line that goes on is no comment, and a blank one ends what goes on.
 */
#include "edit/formats.h"
#include "base/cleanup.h"
#include "plan/characters.h"

#include <string.h>

#define LINE_END (-1)
#define FOREIGN 256 /* a character that no key has */

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static bool is_separator(int c)
{
	return is_blank(c) || c == '=' || c == ':';
}

/* Of what ends a line at that place; 0: none does. */
static size_t newline_length(struct source from, size_t at)
{
	if (at >= from.length)
		return 0;
	if (from.data[at] == '\r')
		return at + 1 < from.length && from.data[at + 1] == '\n' ? 2 : 1;
	return from.data[at] == '\n';
}

static size_t skip_blanks(struct source from, size_t at)
{
	while (at < from.length && is_blank(from.data[at]))
		at++;
	return at;
}

/* Behind the backslashes with which the line goes on; else at itself. */
static size_t go_on(struct source from, size_t at)
{
	size_t n;

	while (at < from.length && from.data[at] == '\\' && (n = newline_length(from, at + 1)))
		at = skip_blanks(from, at + 1 + n);
	return at;
}

static int from_hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c | 0x20) : NULL;

	return found && c > ' ' ? (int)(found - digits) : -1;
}

static int take_code(struct source from, size_t *at)
{
	int code = 0;

	for (int i = 0; i < 4; i++) {
		int digit = *at < from.length ? from_hex(from.data[*at]) : -1;

		if (digit < 0)
			return FOREIGN;
		code = code << 4 | digit;
		++*at;
	}
	return code < 0x80 ? code : FOREIGN;
}

/* The next character of the logical line, which an escape makes one that separates nothing. */
static int take(struct source from, size_t *at, bool *ret_escaped)
{
	static const char letters[] = "tnrf", meant[] = "\t\n\r\f";
	const char *found;
	char c;

	*at = go_on(from, *at);
	*ret_escaped = false;
	if (*at == from.length || newline_length(from, *at))
		return LINE_END;
	c = from.data[(*at)++];
	if (c != '\\')
		return (unsigned char)c;
	if (*at == from.length) /* as if it were not there */
		return LINE_END;
	*ret_escaped = true;
	c = from.data[(*at)++];
	if (c == 'u')
		return take_code(from, at);
	found = strchr(letters, c);
	return c && found ? meant[found - letters] : (unsigned char)c;
}

/* Moves behind the key, and says whether it is this one. */
static bool take_key(struct source from, size_t *at, const char *name)
{
	size_t n = strlen(name), used = 0;
	bool same = true;

	for (;;) {
		size_t ahead = *at;
		bool escaped;
		int c = take(from, &ahead, &escaped);

		if (c == LINE_END || (!escaped && is_separator(c)))
			return same && used == n;
		same = same && used < n && (unsigned char)name[used] == c;
		used++;
		*at = ahead;
	}
}

/* Moves behind the unescaped characters of the set, at most max of them. */
static size_t take_any(struct source from, size_t *at, const char *set, size_t max)
{
	for (size_t n = 0;; n++) {
		size_t ahead = *at;
		bool escaped;
		int c = take(from, &ahead, &escaped);

		if (n == max || c == LINE_END || escaped || !c || !strchr(set, c))
			return n;
		*at = ahead;
	}
}

static void take_rest(struct source from, size_t *at)
{
	bool escaped;

	while (take(from, at, &escaped) != LINE_END)
		;
}

static size_t skip_natural_line(struct source from, size_t at)
{
	while (at < from.length && !newline_length(from, at))
		at++;
	return at + newline_length(from, at);
}

static void put_code(struct text *to, uint32_t code)
{
	if (code > 0xffff) {
		text_addf(to, "\\u%04X", 0xd7c0 + (code >> 10));
		code = 0xdc00 + (code & 0x3ff);
	}
	text_addf(to, "\\u%04X", code);
}

/* What these characters are escaped with; a blank only where it would be lost. */
static void put_escaped(struct text *to, const char *string, const char *also)
{
	static const char plain[] = "\t\n\r\f", letters[] = "tnrf";
	const char *rest = string;
	uint32_t code;

	while (*rest) {
		const char *at = rest, *found;

		if (characters_take(&rest, &code) < 0)
			text_add_bytes(to, rest++, 1);
		else if (code >= 0x80)
			put_code(to, code);
		else if ((found = strchr(plain, (int)code)))
			text_addf(to, "\\%c", letters[found - plain]);
		else if (code == '\\' || (at == string && strchr(" #!", (int)code)) ||
			 strchr(also, (int)code))
			text_addf(to, "\\%c", (int)code);
		else
			text_add_bytes(to, at, 1);
	}
}

/* Replaces the value of the key that ends at *at; *at is moved to the end of the logical line. */
static void put_value(struct source from, size_t *at, const char *value, struct text *to)
{
	size_t key_end = *at;
	bool separated;

	take_any(from, at, " \t\f", SIZE_MAX);
	separated = take_any(from, at, "=:", 1);
	take_any(from, at, " \t\f", SIZE_MAX);
	text_add_bytes(to, from.data + key_end, *at - key_end);
	if (!separated && (*at == key_end || strchr("=:", *value)))
		text_add(to, "=");
	put_escaped(to, value, "");
	take_rest(from, at);
}

/* The last line may lack its end, and may go on in a next one that it must not find. */
static void end_last_line(struct source from, struct text *to)
{
	const char *newline = edit_newline(from);
	size_t end = from.length, backslashes = 0;

	if (end && from.data[end - 1] == '\n')
		end--;
	if (end && from.data[end - 1] == '\r')
		end--;
	while (backslashes < end && from.data[end - 1 - backslashes] == '\\')
		backslashes++;
	if (from.length && end == from.length)
		text_add(to, newline);
	if (backslashes % 2 && from.data[from.length - 1] == '\r' && *newline == '\n')
		text_add(to, newline); /* together they are one */
	if (backslashes % 2)
		text_add(to, newline);
}

static void add_line(struct source from, const struct plan_edit_key *key, struct text *to)
{
	end_last_line(from, to);
	put_escaped(to, key->name, " =:");
	text_add(to, "=");
	put_escaped(to, key->value, "");
	text_add(to, edit_newline(from));
}

int properties_set(struct source from, const struct plan_edit_key *key, struct text *ret_text,
		   struct error *err)
{
	size_t at = 0, copied = 0, found = 0;

	(void)err;
	while (at < from.length) {
		at = skip_blanks(from, go_on(from, skip_blanks(from, at)));
		if (at == from.length)
			break;
		if (newline_length(from, at) || strchr("#!", from.data[at])) {
			at = skip_natural_line(from, at);
			continue;
		}
		if (take_key(from, &at, key->name)) {
			text_add_bytes(ret_text, from.data + copied, at - copied);
			put_value(from, &at, key->value, ret_text);
			copied = at;
			found++;
		}
		take_rest(from, &at);
	}
	text_add_bytes(ret_text, from.data + copied, from.length - copied);
	if (!found)
		add_line(from, key, ret_text);
	return 0;
}

int properties_check(const struct plan_edit_key *key, struct error *err)
{
	if (!*key->name)
		return error_say(err, ERROR_FAILED, "is no key; write its name");
	for (const char *c = key->name; *c; c++)
		if (*c & 0x80)
			return error_say(
				err, ERROR_FAILED,
				"has characters beyond ASCII, which such a file may have in "
				"several ways");
	return 0;
}
