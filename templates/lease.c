/* SPDX-License-Identifier: Apache-2.0 */
/* The keys below "lease": how long an instance lives, and what happens towards its end. */
#include "templates/keywords.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

static int later_first(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y) - (x > y);
}

/* Adds what text lists, separated by commas. */
static int add_durations(struct reading *reading, const struct value_type *type,
			 const struct node *node, int64_t *list, size_t *n)
{
	cleanup_free char *text = NULL;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	for (char *rest = text, *word; (word = strsep(&rest, ","));) {
		word += strspn(word, " ");
		word[strcspn(word, " ")] = '\0';
		if (*n == PLAN_WARNINGS_MAX)
			return node_error(node, reading->err, "has too many entries; at most %d",
					  PLAN_WARNINGS_MAX);
		if (parse_duration(word, &list[*n]) < 0 || list[*n] < type->min)
			return value_wrong(reading, type, node, word);
		(*n)++;
	}
	return 0;
}

static int read_durations(struct reading *reading, const struct value_type *type,
			  const struct node *node, void *field)
{
	int64_t list[PLAN_WARNINGS_MAX] = {0};
	bool none = node->kind == NODE_SCALAR && node->text && strcmp(node->text, "none") == 0;
	size_t n = 0;
	int r = 0;

	if (node->kind == NODE_MAPPING || node_is_null(node))
		return value_wrong_form(reading, type, node);
	if (node->kind == NODE_SCALAR && !none)
		r = add_durations(reading, type, node, list, &n);
	for (size_t i = 0; r == 0 && node->kind == NODE_SEQUENCE && i < node->n_items; i++)
		r = add_durations(reading, type, node->items[i], list, &n);
	if (r < 0)
		return r;
	qsort(list, n, sizeof(*list), later_first);
	memcpy(field, list, sizeof(list));
	return 0;
}

static int read_kept(struct reading *reading, const struct value_type *type,
		     const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	int64_t kept = 0;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	if (strcmp(text, "none") != 0 &&
	    (parse_duration(text, &kept) < 0 || kept < type->min || kept > type->max))
		return value_wrong(reading, type, node, text);
	*(int64_t *)field = kept;
	return 0;
}

static int read_expiry(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	for (int i = 0; i < PLAN_EXPIRIES; i++)
		if (strcmp(text, plan_expiry_names[i]) == 0) {
			*(enum plan_expiry *)field = (enum plan_expiry)i;
			return 0;
		}
	return value_wrong(reading, type, node, text);
}

int lease_check(struct reading *reading, const struct keyword *keyword, const struct node *node)
{
	struct plan_lease *lease = &reading->plan->lease;
	const struct node *ttl = node_find(node, "ttl");

	(void)keyword;
	if (!lease->max_ns || lease->ttl_ns <= lease->max_ns)
		return 0;
	if (ttl)
		return node_error(ttl, reading->err,
				  "is longer than max; write a shorter ttl or a longer max");
	lease->ttl_ns = lease->max_ns;
	return 0;
}

const struct value_type type_durations = {
	.label = "list of durations",
	.right = "write a list such as [15m, 2m], or none",
	.shape = SHAPE_LIST,
	.min = NSEC_PER_MSEC,
	.read = read_durations,
};

const struct value_type type_expiry = {
	.label = "expiry",
	.right = "write remove, freeze, archive or harvest",
	.pattern = "^(remove|freeze|archive|harvest)$",
	.read = read_expiry,
};

static const struct value_type type_kept = {
	.label = "duration",
	.right = "write more than 0 and at most 30d, such as 1h, or none",
	.pattern = "^(none|([0-9]+|([0-9]+(ms|s|m|h|d))+))$",
	.shape = SHAPE_NUMBER,
	.min = NSEC_PER_MSEC,
	.max = PLAN_KEPT_MAX_NS,
	.read = read_kept,
};

static const struct keyword warn_keywords[] = {
	{
		.name = "before",
		.type = &type_durations,
		.fallback = "15m, 2m",
		.doc = "How long before the end the warnings are given, at most 8 of them; each is "
		       "a line in the log and shows in `stint ls`.",
		.offset = PLAN(lease.warning.before_ns),
	},
	{
		.name = "signal",
		.type = &type_signal,
		.doc = "A signal that the server gets with each warning.",
		.offset = PLAN(lease.warning.signal),
	},
	{
		.name = "command",
		.type = &type_command,
		.doc = "A command that is run inside; `STINT_SECONDS_LEFT` is in its environment.",
		.offset = PLAN(lease.warning.command),
	},
	{
		.name = "file",
		.type = &type_directory,
		.doc = "A file inside, which the server's user can write, that gets the number of "
		       "seconds left.",
		.offset = PLAN(lease.warning.file),
	},
	{
		.name = "hook",
		.type = &type_command,
		.doc = "A command on the host, run as a hook (see `hooks`) for 30 seconds at most; "
		       "`STINT_SECONDS_LEFT` is in its environment.",
		.offset = PLAN(lease.warning.hook),
		.check = hook_check_warning,
	},
	{0},
};

const struct keyword lease_keywords[] = {
	{
		.name = "ttl",
		.type = &type_duration,
		.fallback = "1h",
		.doc = "How long an instance lives when its caller does not say.",
		.offset = PLAN(lease.ttl_ns),
		.flags = KEYWORD_INSIDE,
	},
	{
		.name = "max",
		.type = &type_duration_bound,
		.fallback = "none",
		.doc = "How long it may live at most, whatever its caller says.",
		.offset = PLAN(lease.max_ns),
	},
	{
		.name = "idle",
		.type = &type_duration_bound,
		.fallback = "none",
		.doc = "End it after so long without a connection through a published port or a "
		       "command inside, when its caller says neither this nor its deadline.",
		.offset = PLAN(lease.idle_ns),
	},
	{
		.name = "on_expiry",
		.type = &type_expiry,
		.fallback = "remove",
		.doc = "What happens when its time is over: `remove` ends it, `freeze` stops its "
		       "processes where they are until `stint extend` or a second lease ends that, "
		       "`archive` ends it and keeps what it wrote as a tar file, `harvest` what "
		       "`stint harvest` would pack.",
		.offset = PLAN(lease.on_expiry),
	},
	{
		.name = "frozen",
		.type = &type_duration,
		.fallback = "1h",
		.doc = "With `on_expiry: freeze`, how long it may stay frozen before it ends.",
		.offset = PLAN(lease.frozen_ns),
	},
	{
		.name = "keep_failed",
		.type = &type_kept,
		.fallback = "none",
		.doc = "How long the log and the files of an instance that failed are kept, for "
		       "`stint logs`, `stint diff` and `stint cp`.",
		.offset = PLAN(lease.keep_failed_ns),
	},
	{
		.name = "warn",
		.inner = warn_keywords,
		.doc = "Warnings before the end.",
	},
	{0},
};
