/* SPDX-License-Identifier: Apache-2.0 */
/* Text of others on a person's terminal: what could steer the terminal is spelled out instead. */
#ifndef BASE_VISIBLE_H
#define BASE_VISIBLE_H

#include "base/text.h"

/*
 * Adds data (UTF-8, any bytes) with control characters, C1 controls and bytes that are no UTF-8 as
 * "\x1b". Tab stays, and so do colours (ECMA-48 SGR: ESC [ digits ; : m), which are reset behind
 * data. A carriage return at the very end is left out.
 */
void text_add_visible(struct text *text, const char *data, size_t length);

/* The same for messages, where tabs, colours and line ends have no business either. */
void text_add_visible_words(struct text *text, const char *words);

/* The same for names of files, of which no two look alike: a backslash is shown as two. */
void text_add_visible_name(struct text *text, const char *name);

#endif
