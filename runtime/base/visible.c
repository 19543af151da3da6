/* SPDX-License-Identifier: Apache-2.0 */
/* Control characters made visible; see visible.h. In commands that print what a server wrote. */
#include "base/visible.h"

#include <string.h>

#define SGR_LENGTH_MAX 64
#define SGR_RESET "\033[0m"

/* Length of the colour sequence that data begins with, 0 when it is none. */
static size_t sgr_length(const unsigned char *data, size_t length)
{
	if (length < 3 || data[0] != 0x1b || data[1] != '[')
		return 0;
	for (size_t i = 2; i < length && i < SGR_LENGTH_MAX; i++) {
		if (data[i] == 'm')
			return i + 1;
		if (!(data[i] >= '0' && data[i] <= '9') && data[i] != ';' && data[i] != ':')
			return 0;
	}
	return 0;
}

/*
 * Length of the UTF-8 character that data begins with, 0 when it is none. Overlong forms would
 * smuggle controls past the check below (Unicode 15, table 3-7).
 */
static size_t utf8_length(const unsigned char *data, size_t length)
{
	size_t n = data[0] < 0x80 ? 1 : data[0] < 0xe0 ? 2 : data[0] < 0xf0 ? 3 : 4;
	unsigned char low = 0x80, high = 0xbf;

	if (n == 1)
		return 1;
	if (data[0] < 0xc2 || data[0] > 0xf4 || length < n)
		return 0;
	if (data[0] == 0xe0)
		low = 0xa0;
	else if (data[0] == 0xed)
		high = 0x9f;
	else if (data[0] == 0xf0)
		low = 0x90;
	else if (data[0] == 0xf4)
		high = 0x8f;
	if (data[1] < low || data[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((data[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static bool is_control(const unsigned char *data, size_t n)
{
	if (n == 1)
		return data[0] < 0x20 || data[0] == 0x7f;
	return n == 2 && data[0] == 0xc2 && data[1] < 0xa0;
}

static void add_escaped(struct text *text, const unsigned char *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text_addf(text, "\\x%02x", data[i]);
}

/* Adds the character that from begins with, or a byte that is none; returns its length. */
static size_t add_character(struct text *text, const unsigned char *from, size_t length)
{
	size_t n = utf8_length(from, length);

	if (n == 0 || is_control(from, n))
		add_escaped(text, from, n ? n : 1);
	else
		text_add_bytes(text, from, n);
	return n ? n : 1;
}

void text_add_visible(struct text *text, const char *data, size_t length)
{
	const unsigned char *from = (const unsigned char *)data;
	bool coloured = false;

	if (length > 0 && from[length - 1] == '\r')
		length--;
	while (length > 0) {
		size_t n = *from == '\t' ? 1 : sgr_length(from, length);

		if (n > 0)
			text_add_bytes(text, from, n);
		coloured |= n > 1;
		if (n == 0)
			n = add_character(text, from, length);
		from += n;
		length -= n;
	}
	if (coloured)
		text_add(text, SGR_RESET);
}

static void add_strictly(struct text *text, const char *string, bool escape_backslash)
{
	const unsigned char *from = (const unsigned char *)string;

	for (size_t left = strlen(string); left > 0;) {
		size_t n = add_character(text, from, left);

		if (escape_backslash && *from == '\\')
			text_add(text, "\\");
		from += n;
		left -= n;
	}
}

void text_add_visible_words(struct text *text, const char *words)
{
	add_strictly(text, words, false);
}

void text_add_visible_name(struct text *text, const char *name)
{
	add_strictly(text, name, true);
}
