/* SPDX-License-Identifier: Apache-2.0 */
/* Flat messages; see wire.h. */
#include "base/wire.h"
#include "base/cleanup.h"

#include <string.h>

#define WIRE_NULL UINT32_MAX

void wire_put_u32(struct text *to, uint32_t value)
{
	text_add_bytes(to, &value, sizeof(value));
}

void wire_put_u64(struct text *to, uint64_t value)
{
	text_add_bytes(to, &value, sizeof(value));
}

void wire_put_string(struct text *to, const char *string)
{
	wire_put_u32(to, string ? (uint32_t)strlen(string) : WIRE_NULL);
	if (string)
		text_add(to, string);
}

void wire_put_strv(struct text *to, char *const *list)
{
	size_t n = strv_length(list);

	wire_put_u32(to, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		wire_put_string(to, list[i]);
}

void wire_put_bytes(struct text *to, const void *data, size_t size)
{
	wire_put_u32(to, (uint32_t)size);
	if (size)
		text_add_bytes(to, data, size);
}

static void take(struct wire_reader *from, void *into, size_t length)
{
	if (from->bad || from->left < length) {
		from->bad = true;
		memset(into, 0, length);
		return;
	}
	memcpy(into, from->data, length);
	from->data += length;
	from->left -= length;
}

uint32_t wire_get_u32(struct wire_reader *from)
{
	uint32_t value;

	take(from, &value, sizeof(value));
	return value;
}

uint64_t wire_get_u64(struct wire_reader *from)
{
	uint64_t value;

	take(from, &value, sizeof(value));
	return value;
}

char *wire_get_string(struct wire_reader *from)
{
	uint32_t length = wire_get_u32(from);
	char *string;

	if (length == WIRE_NULL || from->bad)
		return NULL;
	if (length > from->left || memchr(from->data, '\0', length)) {
		from->bad = true;
		return NULL;
	}
	string = xcalloc(length + 1, 1);
	take(from, string, length);
	return string;
}

char **wire_get_strv(struct wire_reader *from)
{
	uint32_t n = wire_get_u32(from);
	char **list;

	if (n > from->left / sizeof(uint32_t)) {
		from->bad = true;
		n = 0;
	}
	list = xcalloc(n + 1, sizeof(char *));
	for (uint32_t i = 0; i < n; i++) {
		list[i] = wire_get_string(from);
		if (!list[i]) {
			from->bad = true;
			break;
		}
	}
	return list;
}

void *wire_get_bytes(struct wire_reader *from, size_t *ret_size)
{
	uint32_t size = wire_get_u32(from);
	void *bytes;

	*ret_size = 0;
	if (size > from->left)
		from->bad = true;
	if (size == 0 || from->bad)
		return NULL;
	bytes = xcalloc(size, 1);
	take(from, bytes, size);
	*ret_size = size;
	return bytes;
}
