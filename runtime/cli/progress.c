/* SPDX-License-Identifier: Apache-2.0 */
/* How far something long has come; see progress.h. */
#include "cli/progress.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EVERY_NS (100 * NSEC_PER_MSEC)
#define BAR 24

bool progress_is_due(const struct progress *progress)
{
	return isatty(STDERR_FILENO) && clock_boottime_ns() - progress->shown_ns >= EVERY_NS;
}

void progress_show(struct progress *progress, const char *text)
{
	progress->shown_ns = clock_boottime_ns();
	fprintf(stderr, "\r\033[K%s", text);
}

void progress_bar(uint64_t part, uint64_t whole, char *buffer, size_t size)
{
	unsigned percent = whole ? (unsigned)(100.0 * (double)part / (double)whole) : 100;
	char bar[BAR + 1];

	if (percent > 100)
		percent = 100;
	memset(bar, ' ', BAR);
	memset(bar, '#', (size_t)(percent * BAR / 100));
	bar[BAR] = '\0';
	snprintf(buffer, size, "[%s] %3u %%", bar, percent);
}

void progress_of_tree(const struct tree_progress *tree, void *data)
{
	cleanup_free char *text = NULL;
	char bar[64], done[32], whole[32];

	if (!progress_is_due(data))
		return;
	progress_bar(tree->bytes + tree->files, tree->total_bytes + tree->total_files, bar,
		     sizeof(bar));
	format_size(tree->bytes, done, sizeof(done));
	format_size(tree->total_bytes, whole, sizeof(whole));
	text = xasprintf("%s%s %s of %s, %llu of %llu files", tree->hashing ? "hashing " : "", bar,
			 done, whole, (unsigned long long)tree->files,
			 (unsigned long long)tree->total_files);
	progress_show(data, text);
}

void progress_clear(struct progress *progress)
{
	if (progress->shown_ns)
		fputs("\r\033[K", stderr);
	progress->shown_ns = 0;
}
