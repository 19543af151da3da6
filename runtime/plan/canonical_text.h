/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How keys and values of the canonical form are written. Strings are plain when any YAML reader
 * takes them as a string, else in double quotes; '$' is doubled, because reading back expands
 * variables. Only for the files that write it.
 */
#ifndef PLAN_CANONICAL_TEXT_H
#define PLAN_CANONICAL_TEXT_H

#include "base/text.h"

#include "plan/content.h"

#include <stdint.h>

void put_string(struct text *text, const char *string);

/* The key and its colon; deeper keys are indented. */
void put_key(struct text *text, int depth, const char *key);
void put_section(struct text *text, int depth, const char *key);
/* Begins an entry of a list of mappings, which are deeper by one. */
void put_item(struct text *text, int depth);

/* Words of our own: never quoted. */
void put_word(struct text *text, int depth, const char *key, const char *word);
void put_number(struct text *text, int depth, const char *key, uint64_t number);
/* A string, or nothing at all for NULL; a list, or nothing for an empty one. */
void put_value(struct text *text, int depth, const char *key, const char *string);
void put_list(struct text *text, int depth, const char *key, char *const *list);

/* "1h30m": exact, unlike format_duration, which is for people. */
void add_duration(struct text *text, int64_t ns);
void put_duration(struct text *text, int depth, const char *key, int64_t ns);
void put_size(struct text *text, int depth, const char *key, uint64_t bytes);
/* The keys scrub, files, edit and secrets. */
void put_content(struct text *text, const struct plan_content *content);
/* Thousandths of a processor, as a decimal number of them. */
void put_cpu(struct text *text, int depth, const char *key, uint64_t millis);

#endif
