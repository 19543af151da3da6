/* SPDX-License-Identifier: Apache-2.0 */
/* A growing array of bytes; zero-initialise. Allocation failure ends the process. */
#ifndef HELLO_BUFFER_H
#define HELLO_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

struct buffer {
	char *data;
	size_t length, size;
};

/* Returns memory, which is never NULL then. */
void *must(void *memory);

void buffer_add(struct buffer *buffer, const void *data, size_t length);
void buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
/* Drops the first bytes. */
void buffer_drop(struct buffer *buffer, size_t length);
/* Gives back the memory of a buffer that is empty and was large. */
void buffer_rest(struct buffer *buffer);
void buffer_deinit(struct buffer *buffer);

#endif
