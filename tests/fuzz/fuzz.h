/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share. A target takes any bytes and says with must() what holds for all of
 * them; that nothing crashes, leaks or takes long is seen by the sanitizers and libFuzzer.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/cleanup.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

/* The input as a string, cut at its first NUL; the caller frees. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *string = xcalloc(size + 1, 1);

	memcpy(string, data, size);
	return string;
}

/* The next byte of an input that is used up from the front, 0 at its end. */
static inline uint8_t fuzz_byte(const uint8_t **data, size_t *size)
{
	if (*size == 0)
		return 0;
	(*size)--;
	return *(*data)++;
}

#endif
