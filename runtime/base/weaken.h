/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking a protection out, for the tests that show of each attack that it succeeds then. Only in a
 * build with -DSTINT_WEAKEN=ON, which is never installed; in all others the question is answered by
 * the compiler, and nothing of it is in the program.
 */
#ifndef BASE_WEAKEN_H
#define BASE_WEAKEN_H

#include <stdbool.h>

#ifdef STINT_WEAKEN
/* True when the environment's STINT_WEAKEN, words with commas between them, has the protection. */
bool weakened(const char *protection);
#else
#define weakened(protection) false
#endif

#endif
