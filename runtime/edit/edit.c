/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of files that keys can be set in; see edit.h. */
#include "edit/formats.h"
#include "base/cleanup.h"

#include <string.h>

static const struct {
	int (*check)(const struct plan_edit_key *key, struct error *err);
	int (*set)(struct source from, const struct plan_edit_key *key, struct text *ret_text,
		   struct error *err);
} formats[EDIT_FORMATS] = {
	[EDIT_PROPERTIES] = {properties_check, properties_set},
	[EDIT_INI] = {ini_check, ini_set},
	[EDIT_XML] = {xml_check, xml_set},
};

const char *edit_newline(struct source from)
{
	const char *end = from.length ? from.data + from.length : NULL;

	for (const char *at = from.data; at < end; at++) {
		if (*at == '\n')
			return "\n";
		if (*at == '\r')
			return at + 1 < end && at[1] == '\n' ? "\r\n" : "\r";
	}
	return "\n";
}

void edit_splice(struct source from, size_t start, size_t end, const struct text *value,
		 struct text *ret_text)
{
	text_add_bytes(ret_text, from.data, start);
	text_add_bytes(ret_text, value->data, value->length);
	text_add_bytes(ret_text, from.data + end, from.length - end);
}

int edit_check_key(enum edit_format format, const struct plan_edit_key *key, struct error *err)
{
	return formats[format].check(key, err);
}

int edit_check_text(const char *data, size_t length, struct error *err)
{
	if (length > EDIT_SIZE_MAX)
		return error_say(err, ERROR_FAILED, "is too large; at most %d MiB",
				 EDIT_SIZE_MAX >> 20);
	if (length && memchr(data, '\0', length))
		return error_say(err, ERROR_FAILED,
				 "has NUL characters, so it is no text, or in an encoding such as "
				 "UTF-16; only text in which ASCII characters are single bytes can "
				 "be edited");
	return 0;
}

int edit_set(enum edit_format format, const char *data, size_t length,
	     const struct plan_edit_key *key, struct text *ret_text, struct error *err)
{
	const struct source from = {.data = length ? data : "", .length = length};
	int r = edit_check_key(format, key, err);

	if (r == 0)
		r = edit_check_text(data, length, err);
	return r < 0 ? r : formats[format].set(from, key, ret_text, err);
}
