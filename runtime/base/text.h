/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: a growing buffer, NULL-terminated string lists, and the small notations that people type
 * (durations, sizes, ports, times of day). No knowledge of sandboxes. Allocation failure ends the
 * process: no caller could do anything better with it, and what is on the host is undone from the
 * record.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NSEC_PER_SEC 1000000000LL
#define NSEC_PER_MSEC 1000000LL

/* A growing string; zero-initialise. data is NULL until something was added. */
struct text {
	char *data;
	size_t length, size;
};

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *data, size_t length);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Returns the string (never NULL) and empties text; the caller frees it. */
char *text_take(struct text *text);
void text_deinit(struct text *text);
#define cleanup_text cleanup(text_deinit)

/* xmalloc and friends never return NULL. */
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t count, size_t size);
char *xstrdup(const char *string);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Into a buffer of a fixed size; what does not fit is cut between two characters (UTF-8), and ends
 * with "...". A size of 4 or less has no room for that: what does not fit is left out.
 */
void text_cutf(char *buffer, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Lists of strings that end in NULL; a NULL list is an empty one. */
size_t strv_length(char *const *list);
void strv_add(char ***list, const char *string);
char **strv_copy(char *const *list);
bool strv_contains(char *const *list, const char *string);
void strv_free(char **list);
void strv_cleanup(char ***list);
#define cleanup_strv cleanup(strv_cleanup)

/*
 * "90", "90s", "1h30m", "2d", "250ms" into nanoseconds; a bare number means seconds. Returns 0 or
 * -EINVAL (not of that form) or -ERANGE (more than 10 years).
 */
int parse_duration(const char *string, int64_t *ret_ns);
#define DURATION_MAX_DAYS (10 * 366)
/* "512M", "2GiB", "64k", "1024" into bytes (powers of 1024). 0, -EINVAL or -ERANGE. */
int parse_size(const char *string, uint64_t *ret_bytes);
/* Decimal digits only, no sign, no blanks, at most max. 0, -EINVAL or -ERANGE. */
int parse_number(const char *string, uint64_t max, uint64_t *ret_value);
/*
 * "18:00", "18:00:30" (local time, the next such moment after now), "2026-11-22T18:00",
 * "2026-11-22 18:00:30" (local), with "Z" or "+01:00" behind for another zone. now and the result
 * are seconds since the epoch. 0 or -EINVAL.
 */
int parse_time(const char *string, time_t now, time_t *ret_when);

/* "1h 29m", "4m 10s", "12s", "0.25s": two units at most, for people. size 32 is enough. */
void format_duration(int64_t ns, char *buffer, size_t size);
/* "512 MiB", "1.5 GiB", "17 B". */
void format_size(uint64_t bytes, char *buffer, size_t size);

/* What a noun ends in of which there are so many: "s", or nothing. */
const char *plural(uint64_t n);

/*
 * The entry of candidates (NULL-terminated) that word is most likely a misspelling of, or NULL
 * when none is near (edit distance at most a third of the word's length, at least 1).
 */
const char *nearest_word(const char *word, const char *const *candidates);

/* Turns "\\040" and the like, as mountinfo has them for blanks, back in place. */
void unescape_octal(char *string);

/* [a-z0-9][a-z0-9-]{0,62}: instance, template, port and parameter names. */
bool is_valid_name(const char *name);

#endif
