/* SPDX-License-Identifier: Apache-2.0 */
/* Values of JSON, and what becomes of those that cannot be made; see json.h. In commands. */
#include "cli/json.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/visible.h"

#include <stdio.h>
#include <stdlib.h>

/* A value is missing where memory is, or where a text was no UTF-8 that should have been. */
static void check(int r)
{
	if (r == 0)
		return;
	fputs("stint: cannot write JSON: a value of it cannot be made\n", stderr);
	exit(ERROR_FAILED);
}

json_t *json_text(const char *text)
{
	cleanup_text struct text shown = {0};
	json_t *string;

	if (!text)
		return json_null();
	string = json_string(text);
	if (string)
		return string;
	text_add_visible_words(&shown, text);
	return json_string(shown.data);
}

json_t *json_name(const char *name)
{
	cleanup_text struct text shown = {0};

	text_add_visible_name(&shown, name);
	return json_string(shown.data ? shown.data : "");
}

json_t *json_path(const char *path)
{
	cleanup_text struct text shown = {0};
	json_t *string;

	for (const char *from = path; *from; from++)
		text_add_bytes(&shown, *from == '\\' ? "\\\\" : from, *from == '\\' ? 2 : 1);
	string = json_string(shown.data ? shown.data : "");
	return string ? string : json_name(path);
}

void json_push(json_t *list, json_t *value)
{
	check(json_array_append_new(list, value));
}

void json_put(json_t *object, const char *key, json_t *value)
{
	check(json_object_set_new(object, key, value));
}

void json_merge(json_t *object, json_t *values)
{
	check(json_object_update_new(object, values));
}

int json_print(json_t *value)
{
	check(value ? 0 : -1);
	/* whether standard output took it is seen at the end */
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(value);
	return 0;
}

void json_print_line(json_t *value)
{
	check(value ? 0 : -1);
	json_dumpf(value, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(value);
}
