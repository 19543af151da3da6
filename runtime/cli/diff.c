/* SPDX-License-Identifier: Apache-2.0 */
/* stint diff: what an instance changed in its view of the install. */
#include "cli/commands.h"
#include "cli/output.h"
#include "instance/diff.h"
#include "instance/keep.h"
#include "base/cleanup.h"
#include "base/visible.h"

#include <stdio.h>

/* A name may contain anything, also a line that looks like one of ours. */
static void print_text(const struct diff *diff)
{
	for (size_t i = 0; i < diff->n; i++) {
		const struct diff_entry *entry = &diff->list[i];
		cleanup_text struct text line = {0};

		text_addf(&line, "%c ", entry->kind);
		if (entry->from) {
			text_add_visible_name(&line, entry->from);
			text_add(&line, " -> ");
		}
		text_add_visible_name(&line, entry->path);
		puts(line.data);
	}
}

static int print_json(const struct diff *diff)
{
	json_t *list = json_array();

	for (size_t i = 0; i < diff->n; i++) {
		const struct diff_entry *entry = &diff->list[i];
		const char change[] = {(char)entry->kind, '\0'};
		json_t *object = json_object();

		json_put(object, "path", json_path(entry->path));
		json_put(object, "change", json_string(change));
		if (entry->from)
			json_put(object, "from", json_path(entry->from));
		json_push(list, object);
	}
	return json_print(list);
}

static int run_diff(const struct invocation *invocation)
{
	cleanup_record struct record *record = NULL;
	cleanup_diff struct diff diff = {0};
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int r = open_named(invocation->caller, invocation->args[0], &site, &record, &err);
	cleanup_fd int pool = -1;
	int status = 0;

	if (r == 0)
		r = pool = keep_open_pool(&site, record, &err);
	if (r >= 0)
		r = diff_instance(&site, pool, record, &diff, &err);
	if (r < 0)
		status = report(&err);
	else if (invocation->options.json)
		status = print_json(&diff);
	else
		print_text(&diff);
	site_close(&site);
	return status;
}

const struct command diff_command = {
	.name = "diff",
	.usage = "NAME [OPTION...]",
	.options = "json",
	.summary = "show what the instance changed against its install",
	.description =
		"One line for each path: A added, C changed, D deleted, R renamed (directories; "
		"a renamed file is one deleted and one added). A directory counts as changed when "
		"its mode or owner is another. A file that was written with what it had before is "
		"not listed. In names, controls and bytes that are no UTF-8 are shown as \\xff, a "
		"backslash as two.",
	.min_args = 1,
	.max_args = 1,
	.run = run_diff,
};
