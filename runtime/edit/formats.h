/* SPDX-License-Identifier: Apache-2.0 */
/* Between the formats; see edit.h. */
#ifndef EDIT_FORMATS_H
#define EDIT_FORMATS_H

#include "edit/edit.h"

#define BOM "\xef\xbb\xbf"

/* The text of a file. */
struct source {
	const char *data;
	size_t length;
};

/* How lines end there: as the first one does. */
const char *edit_newline(struct source from);

/* The text up to start, then value, then the text from end on. */
void edit_splice(struct source from, size_t start, size_t end, const struct text *value,
		 struct text *ret_text);

int properties_check(const struct plan_edit_key *key, struct error *err);
int properties_set(struct source from, const struct plan_edit_key *key, struct text *ret_text,
		   struct error *err);
int ini_check(const struct plan_edit_key *key, struct error *err);
int ini_set(struct source from, const struct plan_edit_key *key, struct text *ret_text,
	    struct error *err);
int xml_check(const struct plan_edit_key *key, struct error *err);
int xml_set(struct source from, const struct plan_edit_key *key, struct text *ret_text,
	    struct error *err);

#endif
