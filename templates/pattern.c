/* SPDX-License-Identifier: Apache-2.0 */
/* How large a regular expression becomes, and whether it is one; see pattern.h. */
#include "templates/pattern.h"
#include "base/cleanup.h"

#include <errno.h>
#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NESTING_MAX 16

/*
 * Sizes of the open groups, outermost first, and of the latest atom of each. An atom is never
 * smaller than 1: what glibc takes for an ordinary character where it could be an operator (a ')'
 * without '(', say) can be repeated as well.
 */
struct measure {
	uint64_t size[NESTING_MAX], atom[NESTING_MAX];
	size_t depth;
	bool repeated;	 /* the last element was a repetition */
	const char *why; /* the first thing that is too much */
};

static void add_atom(struct measure *measure, uint64_t size)
{
	measure->size[measure->depth] += size;
	measure->atom[measure->depth] = size;
	measure->repeated = false;
}

static void repeat_atom(struct measure *measure, uint64_t times)
{
	uint64_t atom = measure->atom[measure->depth];

	if (measure->repeated)
		measure->why = "it repeats a repetition";
	measure->size[measure->depth] += atom * (times - 1);
	measure->atom[measure->depth] = atom * times;
	measure->repeated = true;
	if (measure->size[measure->depth] > PATTERN_SIZE_MAX)
		measure->why = "it repeats too much";
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How often "{m,n}" at *pattern copies; moves to its last character. 1 for what is none. */
static uint64_t take_interval(const char **pattern)
{
	unsigned long least, most;
	char *end;

	least = most = strtoul(*pattern + 1, &end, 10);
	if (*end == ',')
		most = strtoul(end + 1, &end, 10);
	if (*end != '}')
		return 1;
	*pattern = end;
	return smaller(least > most ? least : most, PATTERN_SIZE_MAX) + 1;
}

/* Moves to the last character of a bracket expression, or stays when it has no end. */
static const char *skip_brackets(const char *pattern)
{
	const char *end = pattern + 1;

	end += *end == '^';
	end += *end == ']';
	for (; *end && *end != ']'; end++) {
		const char *inner;

		if (end[0] != '[' || !end[1] || !strchr(":.=", end[1]))
			continue;
		for (inner = end + 2; *inner && !(inner[0] == end[1] && inner[1] == ']'); inner++)
			;
		if (*inner)
			end = inner + 1;
	}
	return *end ? end : pattern;
}

static void open_group(struct measure *measure)
{
	if (measure->depth + 1 == NESTING_MAX) {
		measure->why = "its groups are nested too deeply";
		return;
	}
	measure->depth++;
	measure->size[measure->depth] = 1;
	measure->atom[measure->depth] = 1;
	measure->repeated = false;
}

static void close_group(struct measure *measure)
{
	if (measure->depth == 0) {
		add_atom(measure, 1);
		return;
	}
	measure->depth--;
	add_atom(measure, measure->size[measure->depth + 1]);
}

static const char *take_escape(struct measure *measure, const char *pattern)
{
	if (pattern[1] >= '1' && pattern[1] <= '9')
		measure->why = "back-references are not allowed";
	add_atom(measure, 1);
	return pattern[1] ? pattern + 1 : pattern;
}

/* Takes one element of the pattern; returns its last character. */
static const char *take_element(struct measure *measure, const char *pattern)
{
	switch (*pattern) {
	case '\\':
		return take_escape(measure, pattern);
	case '[':
		add_atom(measure, 1);
		return skip_brackets(pattern);
	case '(':
		open_group(measure);
		break;
	case ')':
		close_group(measure);
		break;
	case '+':
		repeat_atom(measure, 2);
		break;
	case '{':
		repeat_atom(measure, take_interval(&pattern));
		break;
	case '*':
	case '?':
		repeat_atom(measure, 1);
		break;
	default:
		add_atom(measure, 1);
	}
	return pattern;
}

static const char *measure_pattern(const char *pattern)
{
	struct measure measure = {.atom = {1}};

	if (!*pattern)
		return "it is empty";
	if (strlen(pattern) > PATTERN_LENGTH_MAX)
		return "it is too long";
	for (; *pattern && !measure.why; pattern++)
		pattern = take_element(&measure, pattern);
	return measure.why;
}

int pattern_check(const char *pattern, char ret_why[PATTERN_FAULT_SIZE])
{
	const char *why = measure_pattern(pattern);
	regex_t compiled;
	int r;

	if (why) {
		snprintf(ret_why, PATTERN_FAULT_SIZE, "%s", why);
		return -EINVAL;
	}
	r = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
	if (r) {
		regerror(r, &compiled, ret_why, PATTERN_FAULT_SIZE);
		return -EINVAL;
	}
	regfree(&compiled);
	return 0;
}
