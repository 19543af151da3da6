/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer: any string as a log pattern. The C library must not run out of time or memory. */
#include "templates/pattern.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *pattern = xasprintf("%.*s", (int)size, (const char *)data);
	char why[PATTERN_FAULT_SIZE] = "";

	if (pattern_check(pattern, why) < 0 && !*why)
		abort();
	return 0;
}
