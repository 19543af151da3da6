/* SPDX-License-Identifier: Apache-2.0 */
/* Members <-> columns; see row.h. */
#include "store/row.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int bind_list(sqlite3_stmt *statement, int at, char *const *list)
{
	struct text bytes = {0};
	int length;

	for (size_t i = 0; list && list[i]; i++)
		text_add_bytes(&bytes, list[i], strlen(list[i]) + 1);
	length = (int)bytes.length;
	return sqlite3_bind_blob(statement, at, text_take(&bytes), length, free);
}

static int bind_one(sqlite3_stmt *statement, int at, enum field_kind kind, const void *from)
{
	switch (kind) {
	case FIELD_TEXT:
		return sqlite3_bind_text(statement, at, *(char *const *)from, -1, SQLITE_STATIC);
	case FIELD_CHARS:
		return sqlite3_bind_text(statement, at, from, -1, SQLITE_STATIC);
	case FIELD_LIST:
		return bind_list(statement, at, *(char *const *const *)from);
	case FIELD_BOOL:
		return sqlite3_bind_int64(statement, at, *(const bool *)from);
	case FIELD_INT:
		return sqlite3_bind_int64(statement, at, *(const int *)from);
	case FIELD_U16:
		return sqlite3_bind_int64(statement, at, *(const uint16_t *)from);
	case FIELD_U32:
		return sqlite3_bind_int64(statement, at, *(const uint32_t *)from);
	case FIELD_I64:
		return sqlite3_bind_int64(statement, at, *(const int64_t *)from);
	}
	return SQLITE_MISUSE;
}

int row_bind(sqlite3_stmt *statement, int first, const struct field *fields, size_t n,
	     const void *from)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
		rc = bind_one(statement, first + (int)i, fields[i].kind,
			      (const char *)from + fields[i].offset);
	return rc;
}

static char *read_text(sqlite3_stmt *statement, int at)
{
	const char *text = (const char *)sqlite3_column_text(statement, at);

	return text ? xstrdup(text) : NULL;
}

static void read_chars(sqlite3_stmt *statement, int at, char *into, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(statement, at);

	snprintf(into, size, "%s", text ? text : "");
}

/* The last string may lack its NUL when the file was damaged. */
static char **read_list(sqlite3_stmt *statement, int at)
{
	const char *bytes = sqlite3_column_blob(statement, at);
	size_t left = (size_t)sqlite3_column_bytes(statement, at);
	char **list = NULL;

	while (left > 0 && bytes) {
		size_t length = strnlen(bytes, left);
		char *string = xasprintf("%.*s", (int)length, bytes);

		strv_add(&list, string);
		free(string);
		length += length < left;
		bytes += length;
		left -= length;
	}
	return list ? list : strv_copy(NULL);
}

static void read_one(sqlite3_stmt *statement, int at, const struct field *field, void *into)
{
	int64_t number = sqlite3_column_int64(statement, at);

	switch (field->kind) {
	case FIELD_TEXT:
		*(char **)into = read_text(statement, at);
		break;
	case FIELD_CHARS:
		read_chars(statement, at, into, field->size);
		break;
	case FIELD_LIST:
		*(char ***)into = read_list(statement, at);
		break;
	case FIELD_BOOL:
		*(bool *)into = number != 0;
		break;
	case FIELD_INT:
		*(int *)into = (int)number;
		break;
	case FIELD_U16:
		*(uint16_t *)into = (uint16_t)number;
		break;
	case FIELD_U32:
		*(uint32_t *)into = (uint32_t)number;
		break;
	case FIELD_I64:
		*(int64_t *)into = number;
		break;
	}
}

void row_read(sqlite3_stmt *statement, int first, const struct field *fields, size_t n, void *into)
{
	for (size_t i = 0; i < n; i++)
		read_one(statement, first + (int)i, &fields[i], (char *)into + fields[i].offset);
}
