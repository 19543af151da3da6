/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flat messages between the processes of one instance: fields in a fixed order, numbers in host
 * byte order, strings with their length. The reader never reads beyond the message; after the
 * first field that does not fit it is bad, and every later field reads as 0 or empty.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

void wire_put_u32(struct text *to, uint32_t value);
void wire_put_u64(struct text *to, uint64_t value);
/* NULL and "" are told apart. */
void wire_put_string(struct text *to, const char *string);
void wire_put_strv(struct text *to, char *const *list);
void wire_put_bytes(struct text *to, const void *data, size_t size);

struct wire_reader {
	const uint8_t *data;
	size_t left;
	bool bad;
};

uint32_t wire_get_u32(struct wire_reader *from);
uint64_t wire_get_u64(struct wire_reader *from);
/* The caller frees; NULL when NULL was put, or when bad. Strings with a NUL inside are bad. */
char *wire_get_string(struct wire_reader *from);
/* The caller frees with strv_free; never NULL. */
char **wire_get_strv(struct wire_reader *from);
/* The caller frees; NULL when there are none, or when bad. */
void *wire_get_bytes(struct wire_reader *from, size_t *ret_size);

#endif
