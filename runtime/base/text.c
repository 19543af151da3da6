/* SPDX-License-Identifier: Apache-2.0 */
/* Growing strings, string lists and name checks; see text.h. Used in every process. */
#include "base/text.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
	if (!memory) {
		static const char words[] = "stint: out of memory\n";

		(void)!write(2, words, sizeof(words) - 1);
		abort();
	}
	return memory;
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t count, size_t size)
{
	return checked(reallocarray(old, count ? count : 1, size));
}

char *xstrdup(const char *string)
{
	return checked(strdup(string));
}

char *xasprintf(const char *format, ...)
{
	char *made = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&made, format, args) < 0)
		made = NULL;
	va_end(args);
	return checked(made);
}

static void text_reserve(struct text *text, size_t more)
{
	size_t need = text->length + more + 1;

	if (need <= text->size)
		return;
	if (need < 2 * text->size)
		need = 2 * text->size;
	text->data = xrealloc(text->data, need, 1);
	text->size = need;
}

void text_add_bytes(struct text *text, const void *data, size_t length)
{
	text_reserve(text, length);
	if (length)
		memcpy(text->data + text->length, data, length);
	text->length += length;
	text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_addf(struct text *text, const char *format, ...)
{
	va_list args, again;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length > 0) {
		text_reserve(text, (size_t)length);
		vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
		text->length += (size_t)length;
	}
	va_end(again);
}

char *text_take(struct text *text)
{
	char *taken;

	text_reserve(text, 0);
	text->data[text->length] = '\0';
	taken = steal_ptr(text->data);
	*text = (struct text){0};
	return taken;
}

void text_deinit(struct text *text)
{
	free(text->data);
	*text = (struct text){0};
}

void text_cutf(char *buffer, size_t size, const char *format, ...)
{
	static const char mark[] = "...";
	va_list args;
	size_t end;
	int length;

	va_start(args, format);
	length = vsnprintf(buffer, size, format, args);
	va_end(args);
	if (length < 0 || (size_t)length < size || size == 0)
		return;
	end = size > sizeof(mark) ? size - sizeof(mark) : 0;
	/* a character has three bytes at most behind its first */
	for (size_t back = 0; back < 3 && end > 0 && (buffer[end] & 0xc0) == 0x80; back++)
		end--;
	snprintf(buffer + end, size - end, "%s", size > sizeof(mark) ? mark : "");
}

size_t strv_length(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

void strv_add(char ***list, const char *string)
{
	size_t n = strv_length(*list);

	*list = xrealloc(*list, n + 2, sizeof(char *));
	(*list)[n] = xstrdup(string);
	(*list)[n + 1] = NULL;
}

char **strv_copy(char *const *list)
{
	char **copy = xcalloc(strv_length(list) + 1, sizeof(char *));

	for (size_t i = 0; list && list[i]; i++)
		copy[i] = xstrdup(list[i]);
	return copy;
}

bool strv_contains(char *const *list, const char *string)
{
	for (size_t i = 0; list && list[i]; i++)
		if (strcmp(list[i], string) == 0)
			return true;
	return false;
}

void strv_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void strv_cleanup(char ***list)
{
	strv_free(*list);
	*list = NULL;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

#define EDIT_WORD_MAX 64

/*
 * Letters too many, too few or wrong, and neighbours that changed places, each as one (optimal
 * string alignment: three rows, since a change of places looks two back). Longer words are never
 * near.
 */
static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][EDIT_WORD_MAX];
	size_t columns = strlen(b), lines = strlen(a);

	if (columns >= EDIT_WORD_MAX || lines >= EDIT_WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= columns; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= lines; i++) {
		const size_t *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (size_t j = 1; j <= columns; j++) {
			row[j] = smallest(above[j] + 1, row[j - 1] + 1,
					  above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two_above[j - 2] + 1 < row[j])
				row[j] = two_above[j - 2] + 1;
		}
	}
	return rows[lines % 3][columns];
}

const char *nearest_word(const char *word, const char *const *candidates)
{
	size_t limit = strlen(word) / 3 ? strlen(word) / 3 : 1;
	const char *best = NULL;

	for (size_t i = 0; candidates[i]; i++) {
		size_t distance = edit_distance(word, candidates[i]);

		if (distance <= limit && distance > 0) {
			best = candidates[i];
			limit = distance - 1;
			if (limit == 0)
				break;
		}
	}
	return best;
}

void unescape_octal(char *string)
{
	char *to = string;

	for (char *from = string; *from; from++) {
		unsigned value;
		int used = 0;

		if (*from == '\\' && sscanf(from + 1, "%3o%n", &value, &used) == 1 && used == 3) {
			*to++ = (char)value;
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

bool is_valid_name(const char *name)
{
	size_t length = strlen(name);

	if (length < 1 || length > 63 || name[0] == '-')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}
