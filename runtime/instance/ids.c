/* SPDX-License-Identifier: Apache-2.0 */
/* Host ids that instances share with nobody; see ids.h. */
#include "instance/ids.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define FILE_MAX (16 << 20)
#define RESERVED_FOR "stint"

/* Files of lines whose fields are separated by colons. */
static const struct {
	const char *name;
	unsigned first, count; /* which field has the first id, and how many; 0: one id */
} files[] = {
	{"passwd", 2, 0},
	{"group", 2, 0},
	{"subuid", 1, 2},
	{"subgid", 1, 2},
};

/* The number in that field of the line; false when there is none. */
static bool take_number(const char *line, unsigned field, uint64_t *ret_number)
{
	cleanup_free char *text = NULL;

	for (; field > 0; field--) {
		line += strcspn(line, ":");
		if (!*line++)
			return false;
	}
	text = xasprintf("%.*s", (int)strcspn(line, ":"), line);
	return parse_number(text, UINT32_MAX, ret_number) == 0;
}

static int check_line(const char *line, size_t file, const struct id_span *span, struct error *err)
{
	uint64_t end = span->first + (uint64_t)span->count * ID_RANGE_SIZE;
	int length = (int)strcspn(line, ":");
	uint64_t first, count = 1;

	if (!take_number(line, files[file].first, &first) ||
	    (files[file].count && !take_number(line, files[file].count, &count)))
		return 0;
	if (files[file].count && (size_t)length == strlen(RESERVED_FOR) &&
	    strncmp(line, RESERVED_FOR, (size_t)length) == 0)
		return 0;
	if (first >= end || first + count <= span->first)
		return 0;
	return error_say(err, ERROR_REFUSED,
			 "the ids of instances, %u to %llu, are also those of '%.*s' in '/etc/%s': "
			 "choose others with 'ids:' in stint.yaml",
			 span->first, (unsigned long long)end - 1, length < 64 ? length : 64, line,
			 files[file].name);
}

int ids_check(int etc, const struct id_span *span, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(files); i++) {
		cleanup_free char *text = NULL;
		char *rest, *line;

		r = file_read(etc, files[i].name, FILE_MAX, &text, NULL);
		if (r == -ENOENT) {
			r = 0;
			continue;
		}
		if (r < 0)
			return error_set(err, -r, "cannot read '/etc/%s'", files[i].name);
		rest = text;
		while (r == 0 && (line = strsep(&rest, "\n")))
			r = check_line(line, i, span, err);
	}
	return r;
}
