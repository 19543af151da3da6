/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: the first line as a log pattern, the rest as a line of the log. What a template may
 * hold must compile in the forwarder, and match or not within libFuzzer's time and memory.
 */
#include "fuzz.h"
#include "keeper/pattern.h"
#include "templates/pattern.h"

static void match(const char *text, const uint8_t *line, size_t length)
{
	struct pattern pattern = {0};
	struct error err = {0};
	/* what ASan puts in place of regexec() looks for a NUL, whatever the flags say */
	cleanup_free char *copy = xcalloc(length + 1, 1);

	memcpy(copy, line, length);
	must(pattern_init(&pattern, text, &err) == 0);
	(void)pattern_matches(&pattern, copy, length);
	pattern_deinit(&pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	size_t n = newline ? (size_t)(newline - data) : size;
	cleanup_free char *text = fuzz_string(data, n);
	char why[PATTERN_FAULT_SIZE] = "";

	if (pattern_check(text, why) < 0)
		must(*why);
	else
		match(text, data + n, size - n);
	return 0;
}
