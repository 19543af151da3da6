/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The characters of a plan's strings. Everything in a plan ends up in an environment, an argument
 * list, a path or on somebody's terminal, so it is UTF-8 and has no control characters: neither
 * the ASCII ones nor U+0080 to U+009F, which terminals obey as well.
 */
#ifndef PLAN_CHARACTERS_H
#define PLAN_CHARACTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Takes one character off *string, which must not be at its end. Returns 0, or -EILSEQ for what
 * UTF-8 does not allow (overlong forms, surrogates, beyond U+10FFFF); *string then stays.
 */
int characters_take(const char **string, uint32_t *ret_character);

bool characters_is_control(uint32_t character);

/*
 * What is wrong with string, in words that follow it in a sentence ("contains a control
 * character"), or NULL. Characters in allowed are accepted although they are control characters.
 */
const char *characters_fault(const char *string, const char *allowed);

/*
 * A copy of string for a message: at most size - 1 bytes, cut with "...", every control character
 * and every byte that is not UTF-8 as '?'. Returns buffer.
 */
const char *characters_printable(const char *string, char *buffer, size_t size);

#endif
