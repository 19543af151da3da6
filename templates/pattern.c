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
#define ANCHORS "<>bB`'" /* behind a backslash */

/*
 * An open group. An atom is never smaller than 1: what glibc takes for an ordinary character where
 * it could be an operator (a ')' without '(', say) can be repeated as well.
 */
struct group {
	uint64_t size, atom;	/* of all of it, and of the latest atom */
	unsigned solid;		/* elements of this alternative that cannot be empty */
	bool atom_may_be_empty; /* the latest one */
	bool may_be_empty;	/* an alternative before this one */
};

struct measure {
	struct group groups[NESTING_MAX]; /* outermost first */
	size_t depth;
	bool repeated;	 /* the last element was a repetition */
	const char *why; /* the first thing that is too much */
};

static struct group *innermost(struct measure *measure)
{
	return &measure->groups[measure->depth];
}

static void add_atom(struct measure *measure, uint64_t size, bool empty)
{
	struct group *group = innermost(measure);

	group->size += size;
	group->atom = size;
	group->atom_may_be_empty = empty;
	group->solid += !empty;
	measure->repeated = false;
}

static void become_optional(struct group *group)
{
	if (!group->atom_may_be_empty && group->solid)
		group->solid--;
	group->atom_may_be_empty = true;
}

/* "x*" and "x?": nothing is copied. */
static void make_optional(struct measure *measure)
{
	if (measure->repeated)
		measure->why = "it repeats a repetition";
	become_optional(innermost(measure));
	measure->repeated = true;
}

/* With copies of what can be empty the time to compile grows with the third power. */
static void repeat_atom(struct measure *measure, uint64_t times)
{
	struct group *group = innermost(measure);

	if (measure->repeated)
		measure->why = "it repeats a repetition";
	else if (group->atom_may_be_empty)
		measure->why = "it repeats what can be empty";
	group->size += group->atom * (times - 1);
	group->atom *= times;
	measure->repeated = true;
	if (group->size > PATTERN_SIZE_MAX)
		measure->why = "it repeats too much";
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Takes "{m,n}" and moves to its last character; what is no interval is an ordinary character. */
static void take_interval(struct measure *measure, const char **pattern)
{
	unsigned long least, most;
	char *end;

	least = most = strtoul(*pattern + 1, &end, 10);
	if (*end == ',')
		most = strtoul(end + 1, &end, 10);
	if (*end != '}') {
		add_atom(measure, 1, false);
		return;
	}
	*pattern = end;
	repeat_atom(measure, smaller(least > most ? least : most, PATTERN_SIZE_MAX) + 1);
	if (least == 0)
		become_optional(innermost(measure));
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
	*innermost(measure) = (struct group){.size = 1, .atom = 1};
	measure->repeated = false;
}

static void close_group(struct measure *measure)
{
	const struct group *group = innermost(measure);

	if (measure->depth == 0) {
		add_atom(measure, 1, false);
		return;
	}
	measure->depth--;
	add_atom(measure, group->size, group->may_be_empty || group->solid == 0);
}

static void begin_alternative(struct measure *measure)
{
	struct group *group = innermost(measure);

	group->may_be_empty |= group->solid == 0;
	add_atom(measure, 1, false);
	group->solid = 0;
}

static const char *take_escape(struct measure *measure, const char *pattern)
{
	if (pattern[1] >= '1' && pattern[1] <= '9')
		measure->why = "back-references are not allowed";
	add_atom(measure, 1, pattern[1] && strchr(ANCHORS, pattern[1]));
	return pattern[1] ? pattern + 1 : pattern;
}

/* Takes one element of the pattern; returns its last character. */
static const char *take_element(struct measure *measure, const char *pattern)
{
	switch (*pattern) {
	case '\\':
		return take_escape(measure, pattern);
	case '[':
		add_atom(measure, 1, false);
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
		take_interval(measure, &pattern);
		break;
	case '*':
	case '?':
		make_optional(measure);
		break;
	case '|':
		begin_alternative(measure);
		break;
	case '^':
	case '$':
		add_atom(measure, 1, true);
		break;
	default:
		add_atom(measure, 1, false);
	}
	return pattern;
}

static const char *measure_pattern(const char *pattern)
{
	struct measure measure = {.groups = {{.atom = 1}}};

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
