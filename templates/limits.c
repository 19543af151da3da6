/* SPDX-License-Identifier: Apache-2.0 */
/* The keys below "limits", from a template or, each by itself, from an option; see keywords.h. */
#include "templates/keywords.h"
#include "templates/template.h"
#include "base/text.h"
#include "plan/characters.h"

#include <stddef.h>
#include <string.h>

static const struct keyword io_keywords[] = {
	{
		.name = "read",
		.type = &type_rate,
		.fallback = "none",
		.doc = "Bytes a second that it reads from the disks of its install and its own "
		       "files.",
		.offset = PLAN(limits.io_read),
	},
	{
		.name = "write",
		.type = &type_rate,
		.fallback = "none",
		.doc = "Bytes a second that it writes to them.",
		.offset = PLAN(limits.io_write),
	},
	{0},
};

const struct keyword limits_keywords[] = {
	{
		.name = "memory",
		.type = &type_size,
		.fallback = "none",
		.doc = "Memory of the whole instance, files in its /tmp, /run and /dev/shm "
		       "included; an instance that needs more is ended.",
		.offset = PLAN(limits.memory_bytes),
	},
	{
		.name = "swap",
		.type = &type_swap,
		.fallback = "none",
		.doc = "Swap space beyond the memory; without it, an instance with a limit of "
		       "memory gets none.",
		.offset = PLAN(limits.swap_bytes),
	},
	{
		.name = "cpu",
		.type = &type_cpu,
		.fallback = "none",
		.doc = "Processors, in parts if need be.",
		.offset = PLAN(limits.cpu_millis),
	},
	{
		.name = "pids",
		.type = &type_pids,
		.fallback = "4096",
		.doc = "Processes and threads.",
		.offset = PLAN(limits.pids),
	},
	{
		.name = "disk",
		.type = &type_size,
		.fallback = "none",
		.doc = "All that the instance writes, temporary files included; see limits.md.",
		.offset = PLAN(limits.disk_bytes),
	},
	{
		.name = "files",
		.type = &type_files,
		.fallback = "none",
		.doc = "Open files of one process.",
		.offset = PLAN(limits.files),
	},
	{
		.name = "io",
		.inner = io_keywords,
		.doc = "Disk bandwidth.",
	},
	{
		.name = "log",
		.type = &type_log,
		.fallback = "16M",
		.doc = "How much of the server's output is kept: the newest.",
		.offset = PLAN(limits.log_bytes),
	},
	{0},
};

static int say_wrong_limit(const struct keyword *limit, const char *text, struct error *err)
{
	char shown[80];

	return error_say(err, ERROR_USAGE, "'%s' is not a valid %s; %s",
			 characters_printable(text, shown, sizeof(shown)), limit->type->label,
			 limit->type->right);
}

int template_set_limit(struct plan *plan, const char *key, const char *text, struct error *err)
{
	const struct keyword *table = strncmp(key, "io.", 3) ? limits_keywords : io_keywords;
	const struct keyword *limit = keyword_find(table, strncmp(key, "io.", 3) ? key : key + 3);
	struct variables none = {0};
	struct error why;
	struct reading reading = {.plan = plan, .variables = &none, .err = &why};
	struct node node = {.kind = NODE_SCALAR, .file = "option", .text = (char *)text};

	if (!*text ||
	    limit->type->read(&reading, limit->type, &node, (char *)plan + limit->offset) < 0)
		return say_wrong_limit(limit, text, err);
	return 0;
}
