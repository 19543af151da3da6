/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and values of the canonical form; see canonical_text.h. */
#include "plan/canonical_text.h"
#include "plan/characters.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* What YAML 1.1 takes for something else than a string. */
static bool is_reserved(const char *string)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on",
					    "off",  "null",  "y",   "n"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(string, words[i]) == 0)
			return true;
	return false;
}

static bool is_plain(const char *string)
{
	size_t dashes = strspn(string, "-"), length = strlen(string);

	if (dashes > 2 || !strspn(string + dashes, dashes ? LETTERS : LETTERS "_/"))
		return false;
	if (strspn(string, LETTERS "0123456789_./+=@%-:, '*?()") != length || is_reserved(string))
		return false;
	return !strstr(string, ": ") && !strchr(": ", string[length - 1]);
}

/* Line separators and the byte order mark are no control characters, but YAML eats them. */
static bool needs_code(uint32_t character)
{
	return characters_is_control(character) || character == 0x2028 || character == 0x2029 ||
	       character == 0xfeff || character == 0xfffe || character == 0xffff;
}

static void put_quoted(struct text *text, const char *string)
{
	uint32_t character;

	text_add(text, "\"");
	while (*string) {
		const char *start = string;

		if (characters_take(&string, &character) < 0)
			character = 0xfffd, string++;
		if (character == '"' || character == '\\')
			text_addf(text, "\\%c", (int)character);
		else if (character == '$')
			text_add(text, "$$");
		else if (character == '\n')
			text_add(text, "\\n");
		else if (needs_code(character) || character == 0xfffd)
			text_addf(text, "\\u%04" PRIX32, character);
		else
			text_add_bytes(text, start, (size_t)(string - start));
	}
	text_add(text, "\"");
}

void put_string(struct text *text, const char *string)
{
	if (is_plain(string))
		text_add(text, string);
	else
		put_quoted(text, string);
}

void put_key(struct text *text, int depth, const char *key)
{
	text_addf(text, "%*s", 2 * depth, "");
	put_string(text, key);
	text_add(text, ":");
}

void put_section(struct text *text, int depth, const char *key)
{
	put_key(text, depth, key);
	text_add(text, "\n");
}

void put_item(struct text *text, int depth)
{
	text_addf(text, "%*s-\n", 2 * depth, "");
}

void put_word(struct text *text, int depth, const char *key, const char *word)
{
	put_key(text, depth, key);
	text_addf(text, " %s\n", word);
}

void put_number(struct text *text, int depth, const char *key, uint64_t number)
{
	put_key(text, depth, key);
	text_addf(text, " %" PRIu64 "\n", number);
}

void put_value(struct text *text, int depth, const char *key, const char *string)
{
	if (!string)
		return;
	put_key(text, depth, key);
	text_add(text, " ");
	put_string(text, string);
	text_add(text, "\n");
}

void put_list(struct text *text, int depth, const char *key, char *const *list)
{
	if (!strv_length(list))
		return;
	put_section(text, depth, key);
	for (size_t i = 0; list[i]; i++) {
		text_addf(text, "%*s- ", 2 * depth + 2, "");
		put_string(text, list[i]);
		text_add(text, "\n");
	}
}

struct unit {
	uint64_t factor;
	const char *suffix;
};

void add_duration(struct text *text, int64_t ns)
{
	static const struct unit units[] = {
		{86400, "d"},
		{3600, "h"},
		{60, "m"},
		{1, "s"},
	};
	uint64_t seconds = (uint64_t)(ns / NSEC_PER_SEC);
	int64_t ms = ns % NSEC_PER_SEC / NSEC_PER_MSEC;

	if (!seconds && !ms)
		text_add(text, "0s");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (seconds >= units[i].factor)
			text_addf(text, "%" PRIu64 "%s", seconds / units[i].factor,
				  units[i].suffix);
		seconds %= units[i].factor;
	}
	if (ms)
		text_addf(text, "%" PRId64 "ms", ms);
}

void put_duration(struct text *text, int depth, const char *key, int64_t ns)
{
	put_key(text, depth, key);
	text_add(text, " ");
	add_duration(text, ns);
	text_add(text, "\n");
}

void put_size(struct text *text, int depth, const char *key, uint64_t bytes)
{
	static const struct unit units[] = {
		{1ULL << 40, "TiB"},
		{1ULL << 30, "GiB"},
		{1ULL << 20, "MiB"},
		{1ULL << 10, "KiB"},
		{1, ""},
	};
	size_t unit = 0;

	while (bytes % units[unit].factor || (!bytes && units[unit].factor > 1))
		unit++;
	put_key(text, depth, key);
	text_addf(text, " %" PRIu64 "%s\n", bytes / units[unit].factor, units[unit].suffix);
}

void put_cpu(struct text *text, int depth, const char *key, uint64_t millis)
{
	char digits[8];
	size_t length;

	snprintf(digits, sizeof(digits), ".%03u", (unsigned)(millis % 1000));
	length = strlen(digits);
	while (length && strchr(".0", digits[length - 1]))
		digits[--length] = '\0';
	put_key(text, depth, key);
	text_addf(text, " %" PRIu64 "%s\n", millis / 1000, digits);
}
