/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions that strangers may write. glibc's compiler copies what is repeated ("x{9}",
 * and "x+" as "xx*"), so a short nest of repetitions takes all memory; copies of what can be empty
 * ("(){999,}") take it minutes; and back-references make matching exponential. All of these are
 * refused before regcomp sees them.
 */
#ifndef TEMPLATES_PATTERN_H
#define TEMPLATES_PATTERN_H

#define PATTERN_LENGTH_MAX 1000
#define PATTERN_SIZE_MAX 2000 /* atoms when repetitions are written out */
#define PATTERN_FAULT_SIZE 96

/*
 * 0 when pattern compiles as a POSIX extended regular expression of a bounded size; else -EINVAL
 * and why, a clause without a full stop.
 */
int pattern_check(const char *pattern, char ret_why[PATTERN_FAULT_SIZE]);

#endif
