/* SPDX-License-Identifier: Apache-2.0 */
/* Readiness by the log: a POSIX extended regular expression and single lines. */
#ifndef KEEPER_PATTERN_H
#define KEEPER_PATTERN_H

#include "base/error.h"

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#define PATTERN_LINE_MAX 4096

struct pattern {
	regex_t regex;
	bool compiled;
};

/* Fails with -EINVAL and the library's words when text is no such expression. */
int pattern_init(struct pattern *pattern, const char *text, struct error *err);
/* A zeroed pattern is allowed. */
void pattern_deinit(struct pattern *pattern);

/*
 * Looks at the first PATTERN_LINE_MAX bytes. The line need not be terminated and may hold any
 * bytes; a carriage return at its end does not count.
 */
bool pattern_matches(const struct pattern *pattern, const char *line, size_t length);

#endif
