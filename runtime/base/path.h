/* SPDX-License-Identifier: Apache-2.0 */
/* Absolute paths as text. */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>

/*
 * What is wrong with an absolute path, in words that follow it in a sentence, or NULL: it has no
 * empty component, no "." and no "..", and nothing is too long.
 */
const char *path_fault(const char *path);

/* Takes slashes off its end, where completion in a shell puts one; "/" stays. */
void path_trim(char *path);

/* Whether path is directory or below it; everything is below "/". */
bool path_is_within(const char *path, const char *directory);

#endif
