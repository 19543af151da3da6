/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 and control characters in a plan's strings; see characters.h. */
#include "plan/characters.h"

#include <errno.h>
#include <string.h>

struct utf8_form {
	unsigned char mask, lead; /* of the first byte */
	unsigned length;
	uint32_t least; /* what is below has a shorter form */
};

static const struct utf8_form utf8_forms[] = {
	{0x80, 0x00, 1, 0},
	{0xe0, 0xc0, 2, 0x80},
	{0xf0, 0xe0, 3, 0x800},
	{0xf8, 0xf0, 4, 0x10000},
};

static const struct utf8_form *form_of(unsigned char lead)
{
	for (size_t i = 0; i < sizeof(utf8_forms) / sizeof(utf8_forms[0]); i++)
		if ((lead & utf8_forms[i].mask) == utf8_forms[i].lead)
			return &utf8_forms[i];
	return NULL;
}

int characters_take(const char **string, uint32_t *ret_character)
{
	const unsigned char *bytes = (const unsigned char *)*string;
	const struct utf8_form *form = form_of(bytes[0]);
	uint32_t character;

	if (!form)
		return -EILSEQ;
	character = bytes[0] & (unsigned char)~form->mask;
	for (unsigned i = 1; i < form->length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return -EILSEQ;
		character = character << 6 | (bytes[i] & 0x3f);
	}
	if (character < form->least || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff))
		return -EILSEQ;
	*string += form->length;
	*ret_character = character;
	return 0;
}

bool characters_is_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

const char *characters_fault(const char *string, const char *allowed)
{
	uint32_t character;

	while (*string) {
		if (characters_take(&string, &character) < 0)
			return "is not UTF-8";
		if (characters_is_control(character) &&
		    (character > 0x7f || !strchr(allowed, (int)character)))
			return "contains a control character";
	}
	return NULL;
}

const char *characters_printable(const char *string, char *buffer, size_t size)
{
	static const char cut[] = "...";
	size_t used = 0;

	while (*string) {
		const char *start = string;
		uint32_t character = 0;
		bool shown;

		shown = characters_take(&string, &character) == 0;
		if (!shown)
			string++;
		if (used + (size_t)(string - start) + sizeof(cut) > size) {
			memcpy(buffer + used, cut, sizeof(cut));
			return buffer;
		}
		if (shown && !characters_is_control(character)) {
			memcpy(buffer + used, start, (size_t)(string - start));
			used += (size_t)(string - start);
		} else {
			buffer[used++] = '?';
		}
	}
	buffer[used] = '\0';
	return buffer;
}
