/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper leaves at its end; see facts.h. Written by the keeper, read by commands. */
#include "keeper/facts.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define SIZE_MAX_BYTES 4096

const struct facts facts_unknown = {
	.connections = -1, .bytes_in = -1, .bytes_out = -1, .pool_bytes = -1};

static const struct {
	const char *key;
	size_t offset;
} keys[] = {
	{"connections", offsetof(struct facts, connections)},
	{"bytes_in", offsetof(struct facts, bytes_in)},
	{"bytes_out", offsetof(struct facts, bytes_out)},
	{"pool_bytes", offsetof(struct facts, pool_bytes)},
};

int facts_write(int rundir, const struct facts *facts)
{
	cleanup_text struct text text = {0};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int64_t number = *(const int64_t *)((const char *)facts + keys[i].offset);

		if (number >= 0)
			text_addf(&text, "%s %" PRId64 "\n", keys[i].key, number);
	}
	return file_replace(rundir, FACTS_FILE_NAME, text.data ? text.data : "", 0600);
}

static void take_line(char *line, struct facts *facts)
{
	const char *key = strsep(&line, " ");
	uint64_t number;

	if (!line || parse_number(line, INT64_MAX, &number) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(key, keys[i].key) == 0)
			*(int64_t *)((char *)facts + keys[i].offset) = (int64_t)number;
}

void facts_parse(const char *text, struct facts *ret_facts)
{
	cleanup_free char *copy = xstrdup(text);
	char *rest = copy, *line;

	*ret_facts = facts_unknown;
	while ((line = strsep(&rest, "\n")))
		take_line(line, ret_facts);
}

int facts_read(int rundir, struct facts *ret_facts)
{
	cleanup_free char *text = NULL;
	int r = file_read(rundir, FACTS_FILE_NAME, SIZE_MAX_BYTES, &text, NULL);

	if (r == 0)
		facts_parse(text, ret_facts);
	return r;
}
