/* SPDX-License-Identifier: Apache-2.0 */
/* stint cp: files into an instance and out of it. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "instance/copy.h"
#include "instance/keep.h"
#include "base/cleanup.h"
#include "base/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PROGRESS_FROM (16U << 20)

static void show_progress(uint64_t bytes, void *data)
{
	cleanup_free char *text = NULL;
	char size[32];

	if (bytes < PROGRESS_FROM || !progress_is_due(data))
		return;
	format_size(bytes, size, sizeof(size));
	text = xasprintf("%s copied", size);
	progress_show(data, text);
}

static void complain(const struct error *err, void *data)
{
	progress_clear(data);
	report_note("%s", err->text);
}

/* "NAME:PATH"; everything else, also "./a:b", is a file of this host. */
static char *name_of_operand(const char *operand, const char **ret_path)
{
	size_t n = strcspn(operand, ":/");
	cleanup_free char *name = xasprintf("%.*s", (int)n, operand);

	if (operand[n] != ':' || !is_valid_name(name))
		return NULL;
	*ret_path = operand + n + 1;
	return steal_ptr(name);
}

struct operands {
	char *name; /* of the instance */
	const char *from, *to;
	bool inward;
};

static int parse_operands(char *const *args, struct operands *ret_operands, struct error *err)
{
	const char *from = args[0], *to = args[1];
	cleanup_free char *from_name = name_of_operand(args[0], &from);
	cleanup_free char *to_name = name_of_operand(args[1], &to);

	if (!from_name == !to_name)
		return error_say(err, ERROR_USAGE,
				 "%s; usage: stint cp NAME:PATH FILE, or stint cp FILE NAME:PATH",
				 from_name ? "both are in an instance"
					   : "neither is in an instance");
	if (!*from || !*to)
		return error_say(err, ERROR_USAGE, "'%s' names no file", *from ? args[1] : args[0]);
	*ret_operands = (struct operands){.inward = to_name, .from = from, .to = to};
	ret_operands->name = to_name ? steal_ptr(to_name) : steal_ptr(from_name);
	return 0;
}

/* Signals are read, so that one never leaves a temporary file behind. Standard output has none. */
static int watch_signals(const struct operands *operands)
{
	if (!operands->inward && strcmp(operands->to, "-") == 0)
		return -1;
	return process_take_signals(0);
}

static int copy_operands(const struct operands *operands, int root, const struct record *record,
			 struct error *err)
{
	cleanup_fd int cancel = watch_signals(operands);
	cleanup_account struct account person = {0};
	struct progress progress = {0};
	struct copy copy = {
		.from = {.root = operands->inward ? -1 : root, .path = operands->from},
		.to = {.root = operands->inward ? root : -1, .path = operands->to},
		.person = &person,
		/* on disk, ids are those of the inside */
		.id_base = record->kept_until_ns ? 0 : record->id_base,
		.cancel = cancel,
		.progress = show_progress,
		.complain = complain,
		.data = &progress,
	};
	int r = account_of_caller(&person, err);

	if (r == 0)
		r = copy_run(&copy, err);
	progress_clear(&progress);
	return r;
}

static int open_root(const struct site *site, const struct record *record, bool inward,
		     struct error *err)
{
	if (!record->kept_until_ns)
		return copy_open_root(site, record->grant.id, err);
	if (inward)
		return error_say(err, ERROR_REFUSED,
				 "'%s' has ended; what is kept of it is not changed",
				 record->grant.name);
	return keep_open_root(site, record, err);
}

static int run_cp(const struct invocation *invocation)
{
	struct operands operands = {0};
	cleanup_record struct record *record = NULL;
	struct site site = {.state = -1, .run = -1};
	cleanup_fd int root = -1;
	struct error err = {0};
	int r = parse_operands(invocation->args, &operands, &err);

	if (r == 0)
		r = open_named(invocation->caller, operands.name, &site, &record, &err);
	if (r == 0)
		r = root = open_root(&site, record, operands.inward, &err);
	if (r >= 0)
		r = copy_operands(&operands, root, record, &err);
	free(operands.name);
	site_close(&site);
	return r < 0 ? report(&err) : 0;
}

const struct command cp_command = {
	.name = "cp",
	.usage = "NAME:PATH FILE | FILE NAME:PATH",
	.options = "",
	.summary = "copy files into an instance and out of it",
	.description =
		"Directories are copied with all they contain, links as links; into a directory "
		"that exists under their own name. '-' as FILE is standard input or output. On "
		"the host, files are read and written with the rights of the person who called, "
		"also through sudo. Inside, a new file belongs to the owner of its directory; a "
		"file that is replaced keeps its owner. Set-user-id bits are not copied. A file "
		"appears complete or not at all.",
	.min_args = 2,
	.max_args = 2,
	.run = run_cp,
};
