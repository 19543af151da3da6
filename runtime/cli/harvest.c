/* SPDX-License-Identifier: Apache-2.0 */
/* stint harvest: what an instance changed, as a file that another one can start with. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "instance/harvest.h"
#include "instance/keep.h"
#include "base/cleanup.h"
#include "base/process.h"

#include <stdio.h>
#include <string.h>

#define PROGRESS_FROM (16U << 20)

static void show_progress(const struct harvest_sums *sums, void *data)
{
	cleanup_free char *text = NULL;
	char size[32];

	if (sums->bytes < PROGRESS_FROM || !progress_is_due(data))
		return;
	format_size(sums->bytes, size, sizeof(size));
	text = xasprintf("%s, %llu file%s packed", size, (unsigned long long)sums->files,
			 plural(sums->files));
	progress_show(data, text);
}

static void say(const char *shown, const char *what, void *data)
{
	progress_clear(data);
	fprintf(stderr, "stint: '%s' %s\n", shown, what);
}

static int print_sums(const struct invocation *invocation, const char *file,
		      const struct harvest_sums *sums)
{
	char size[32];

	if (invocation->options.json)
		return json_print(json_pack(
			"{s:o, s:I, s:I, s:I, s:I}", "file", json_text(file), "files",
			(json_int_t)sums->files, "bytes", (json_int_t)sums->bytes, "deleted",
			(json_int_t)sums->deleted, "left_out", (json_int_t)sums->left_out));
	format_size(sums->bytes, size, sizeof(size));
	printf("%s: %llu file%s, %s, %llu deleted", file, (unsigned long long)sums->files,
	       plural(sums->files), size, (unsigned long long)sums->deleted);
	if (sums->left_out)
		printf(", %llu left out", (unsigned long long)sums->left_out);
	putchar('\n');
	return 0;
}

static int pack(const struct invocation *invocation, const struct site *site,
		const struct record *record, int pool, struct error *err)
{
	const char *wanted = invocation->options.output;
	bool to_stream = wanted && strcmp(wanted, "-") == 0;
	cleanup_free char *file =
		wanted ? xstrdup(wanted) : xasprintf("%s.tar.zst", record->grant.name);
	cleanup_fd int cancel = to_stream ? -1 : process_take_signals(0);
	cleanup_account struct account person = {0};
	struct progress progress = {0};
	struct harvest harvest = {
		.below = record->harvest && record->harvest[0] ? record->harvest : NULL,
		.cancel = cancel,
		.progress = show_progress,
		.note = say,
		.data = &progress,
	};
	int r = to_stream ? harvest_write(site, record, pool, STDOUT_FILENO, "standard output",
					  &harvest, err)
			  : account_of_caller(&person, err);

	if (r == 0 && !to_stream)
		r = harvest_to_file(site, record, pool, file, &person, &harvest, err);
	progress_clear(&progress);
	if (r == 0 && !to_stream)
		print_sums(invocation, file, &harvest.sums);
	return r;
}

static int check_output(const struct options *options, struct error *err)
{
	if (options->output && !*options->output)
		return error_say(err, ERROR_USAGE, "--output: the name of the file is empty");
	if (!options->output || strcmp(options->output, "-") != 0)
		return 0;
	if (options->json)
		return error_say(err, ERROR_USAGE,
				 "--json and '-o -' both want standard output; name a file");
	if (isatty(STDOUT_FILENO))
		return error_say(err, ERROR_USAGE,
				 "an archive is not written to a terminal; name a file, or a pipe");
	return 0;
}

static int run_harvest(const struct invocation *invocation)
{
	cleanup_record struct record *record = NULL;
	struct site site = {.state = -1, .run = -1};
	cleanup_fd int pool = -1;
	struct error err = {0};
	int r = check_output(&invocation->options, &err);

	if (r == 0)
		r = open_named(invocation->caller, invocation->args[0], &site, &record, &err);
	if (r == 0)
		r = pool = keep_open_pool(&site, record, &err);
	if (r >= 0)
		r = pack(invocation, &site, record, pool, &err);
	site_close(&site);
	return r < 0 ? report(&err) : 0;
}

const struct command harvest_command = {
	.name = "harvest",
	.usage = "NAME [-o FILE]",
	.options = "output json",
	.summary = "pack what the instance changed into a file",
	.description =
		"Writes what the instance changed below the template's \"harvest\" paths, or in "
		"all of its install directories, deletions included, as a tar file that is packed "
		"by zstd, whatever its name. \"stint up --with FILE\" starts another instance with "
		"it. The instance may run, be frozen, or have ended and be kept; what changes "
		"while it is read is said. FILE is made with the rights of the person who called, "
		"appears complete or not at all, and is on disk when this command says so. A file "
		"that exists is not overwritten. Sockets, pipes and devices are left out.",
	.min_args = 1,
	.max_args = 1,
	.run = run_harvest,
};
