/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON of commands. JSON is UTF-8, and what names files or was written by others may be any bytes.
 * What cannot be made ends the command with a message: nothing is left out in silence.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>

/* Bytes that are no UTF-8 are shown as "\xff", with all controls; null for NULL. */
json_t *json_text(const char *text);

/*
 * A name of a file, as "stint diff" prints it: controls and bytes that are no UTF-8 as "\xff", a
 * backslash as two, so that every name looks different.
 */
json_t *json_name(const char *name);

/* The same where a name that is UTF-8 stays as it is, with its controls, but for a backslash. */
json_t *json_path(const char *path);

/* They take the value over. json_merge adds all keys of values. */
void json_push(json_t *list, json_t *value);
void json_put(json_t *object, const char *key, json_t *value);
void json_merge(json_t *object, json_t *values);

/* Prints the value and a newline to stdout; takes it over. Returns the exit code 0. */
int json_print(json_t *value);
/* The same in one line. */
void json_print_line(json_t *value);

#endif
