/* SPDX-License-Identifier: Apache-2.0 */
/* Readiness by the log; see pattern.h. In the forwarder. */
#include "keeper/pattern.h"

int pattern_init(struct pattern *pattern, const char *text, struct error *err)
{
	char words[128];
	int r = regcomp(&pattern->regex, text, REG_EXTENDED | REG_NOSUB);

	pattern->compiled = r == 0;
	if (r == 0)
		return 0;
	regerror(r, &pattern->regex, words, sizeof(words));
	return error_say(err, ERROR_USAGE, "'%s' is no regular expression: %s", text, words);
}

void pattern_deinit(struct pattern *pattern)
{
	if (pattern->compiled)
		regfree(&pattern->regex);
	pattern->compiled = false;
}

bool pattern_matches(const struct pattern *pattern, const char *line, size_t length)
{
	regmatch_t range = {0};

	if (!pattern->compiled)
		return false;
	if (length > 0 && line[length - 1] == '\r')
		length--;
	range.rm_eo = (regoff_t)(length < PATTERN_LINE_MAX ? length : PATTERN_LINE_MAX);
	/* by range: the line is hostile and may hold NUL */
	return regexec(&pattern->regex, line, 1, &range, REG_STARTEND) == 0;
}
