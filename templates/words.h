/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command line written as one string, split into words as a shell would, but by no shell: blanks
 * separate, '...' and "..." hold together, a backslash takes the next character as it is (within
 * "..." only before '"' and '\'). Nothing else has a meaning.
 */
#ifndef TEMPLATES_WORDS_H
#define TEMPLATES_WORDS_H

#include <stddef.h>

/* NULL, with at most max words added to *words; or what is wrong with the string. */
const char *words_split(const char *string, size_t max, char ***words);

#endif
