/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a struct <-> columns of a row, by a table of fields, so that writing and reading
 * cannot drift apart. Private to this folder.
 */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include <sqlite3.h>
#include <stddef.h>

enum field_kind {
	FIELD_TEXT,  /* char *, NULL is kept apart from "" */
	FIELD_CHARS, /* char[size], what does not fit is cut off */
	FIELD_LIST,  /* char **, each string with its NUL, so any other byte survives */
	FIELD_BOOL,
	FIELD_INT,
	FIELD_U16,
	FIELD_U32, /* also uid_t, gid_t and enums */
	FIELD_I64,
};

struct field {
	enum field_kind kind;
	size_t offset, size;
};

#define FIELD(kind, type, member)                                                 \
	{                                                                         \
		FIELD_##kind, offsetof(type, member), sizeof(((type *)0)->member) \
	}

/*
 * Binds n members of the struct at from to the parameters first, first + 1, ... (the first of a
 * statement is 1). The struct must outlive the step. Returns SQLite's result code.
 */
int row_bind(sqlite3_stmt *statement, int first, const struct field *fields, size_t n,
	     const void *from);

/*
 * Reads the columns first, first + 1, ... (the first of a row is 0) into n members of the struct
 * at into; pointers there are overwritten, the caller frees what they get.
 */
void row_read(sqlite3_stmt *statement, int first, const struct field *fields, size_t n, void *into);

#endif
