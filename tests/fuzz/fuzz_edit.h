/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first lines of the input are section (empty: none), key and value, the rest is the file. What
 * comes out has the key: setting it again changes nothing, and another value and back neither.
 */
#ifndef FUZZ_FUZZ_EDIT_H
#define FUZZ_FUZZ_EDIT_H

#include "fuzz.h"
#include "edit/edit.h"

/* Up to the next newline; the caller frees. */
static char *fuzz_line(const uint8_t **data, size_t *size)
{
	const uint8_t *newline = *size ? memchr(*data, '\n', *size) : NULL;
	size_t n = newline ? (size_t)(newline - *data) : *size;
	char *line = fuzz_string(*data, n);

	*data += n + (newline != NULL);
	*size -= n + (newline != NULL);
	return line;
}

/* "a[@n='x']@n": when that is set, there is no such element any more. */
static bool finds_by_what_it_sets(const char *name)
{
	const char *attribute = strrchr(name, '@');
	cleanup_free char *test = xasprintf("[@%s=", attribute ? attribute + 1 : "");

	return attribute && strstr(name, test);
}

static int fuzz_edit(enum edit_format format, const uint8_t *data, size_t size)
{
	cleanup_free char *section = fuzz_line(&data, &size), *name = fuzz_line(&data, &size);
	cleanup_free char *value = fuzz_line(&data, &size);
	struct plan_edit_key key = {*section ? section : NULL, name, value};
	cleanup_text struct text once = {0}, twice = {0}, other = {0}, back = {0};
	struct error err = {0};
	cleanup_free char *text = xcalloc(size + 1, 1);

	memcpy(text, data, size);
	if (edit_set(format, text, size, &key, &once, &err) < 0) {
		must(*err.text);
		return 0;
	}
	if (format == EDIT_XML && finds_by_what_it_sets(name))
		return 0;
	must(edit_set(format, once.data, once.length, &key, &twice, &err) == 0);
	must(twice.length == once.length && memcmp(twice.data, once.data, once.length) == 0);
	key.value = (char *)"another value";
	must(edit_set(format, once.data, once.length, &key, &other, &err) == 0);
	key.value = value;
	must(edit_set(format, other.data, other.length, &key, &back, &err) == 0);
	must(back.length == once.length && memcmp(back.data, once.data, once.length) == 0);
	return 0;
}

#endif
