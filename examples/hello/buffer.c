/* SPDX-License-Identifier: Apache-2.0 */
/* The growing array of bytes; see buffer.h. */
#include "buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An idle connection keeps no more memory than a small request or answer takes. */
#define BUFFER_IDLE_SIZE 1024

void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void buffer_reserve(struct buffer *buffer, size_t more)
{
	if (buffer->size - buffer->length >= more)
		return;
	buffer->size = 2 * buffer->length + more;
	buffer->data = must(realloc(buffer->data, buffer->size));
}

void buffer_add(struct buffer *buffer, const void *data, size_t length)
{
	buffer_reserve(buffer, length);
	if (length > 0)
		memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
}

void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments)
{
	va_list again;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	buffer_reserve(buffer, (size_t)length + 1);
	vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
	buffer->length += (size_t)length;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	buffer_vprintf(buffer, format, arguments);
	va_end(arguments);
}

void buffer_drop(struct buffer *buffer, size_t length)
{
	buffer->length -= length;
	if (buffer->length > 0)
		memmove(buffer->data, buffer->data + length, buffer->length);
}

void buffer_deinit(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}

void buffer_rest(struct buffer *buffer)
{
	if (buffer->length == 0 && buffer->size > BUFFER_IDLE_SIZE)
		buffer_deinit(buffer);
}
