/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting a string into words; see words.h. */
#include "templates/words.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

/* Takes '...' or "..." at *string and moves behind it. */
static const char *take_quoted(const char **string, struct text *word)
{
	char quote = **string;
	const char *at = *string + 1;

	for (; *at && *at != quote; at++) {
		if (quote == '"' && at[0] == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++;
		text_add_bytes(word, at, 1);
	}
	if (!*at)
		return "has a quote that is not closed";
	*string = at + 1;
	return NULL;
}

static const char *take_word(const char **string, struct text *word)
{
	const char *fault = NULL;

	text_add(word, "");
	while (**string && !strchr(" \t\n", **string) && !fault) {
		if (**string == '\'' || **string == '"') {
			fault = take_quoted(string, word);
			continue;
		}
		if (**string == '\\' && !*++*string)
			return "ends with a backslash";
		text_add_bytes(word, (*string)++, 1);
	}
	return fault;
}

const char *words_split(const char *string, size_t max, char ***words)
{
	for (size_t n = 0;; n++) {
		cleanup_text struct text word = {0};
		const char *fault;

		string += strspn(string, " \t\n");
		if (!*string)
			return NULL;
		if (n == max)
			return "has too many words";
		fault = take_word(&string, &word);
		if (fault)
			return fault;
		strv_add(words, word.data);
	}
}
