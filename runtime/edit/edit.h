/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys in the text of configuration files: text in, text out, nothing of files or instances. What
 * is not the key's stays byte for byte: line ends, a missing last one, a byte order mark, comments,
 * the encoding, in which ASCII characters must be single bytes. Runs in the command, to check keys,
 * and in init; the text may be hostile.
 *
 * properties: as java.util.Properties reads it: "key=value", "key: value", "key value", lines that
 *   go on after a backslash, \uXXXX. The last of several lines with a key counts there, the first
 *   elsewhere: all of them are set. A missing key is added at the end.
 * ini: "[section]", "key=value" or "key: value", ';' and '#' at the start of a line. Programs do
 *   not agree which of several keys of one name counts, so this is an error, and so is a value that
 *   goes on in the next line. All behind the separator is the value, quotes and comments too.
 *   Missing keys and sections are added.
 * xml: "Server/Service[@name='x']/Connector@port": an attribute of an element, from the document's
 *   own element on. Exactly one element must match; a missing attribute is added. What comes of
 *   entities and DTDs is not looked at.
 */
#ifndef EDIT_EDIT_H
#define EDIT_EDIT_H

#include "base/error.h"
#include "base/text.h"
#include "plan/content.h"

#define EDIT_SIZE_MAX (16 << 20)

/* Whether such a key can be set in a file of that format. ERROR_FAILED, a clause: "has ...". */
int edit_check_key(enum edit_format format, const struct plan_edit_key *key, struct error *err);

/* Whether this can be such a file's text. ERROR_FAILED, a clause: "is too large; ...". */
int edit_check_text(const char *data, size_t length, struct error *err);

/*
 * Appends the text with the key set to ret_text. ERROR_FAILED for what cannot be done, a clause
 * that says why; ret_text may have a part of the text then.
 */
int edit_set(enum edit_format format, const char *data, size_t length,
	     const struct plan_edit_key *key, struct text *ret_text, struct error *err);

#endif
