/* SPDX-License-Identifier: Apache-2.0 */
/* What an instance came to; see usage.h. In the command or the reaper that ends it. */
#include "instance/usage.h"
#include "instance/disk.h"
#include "instance/log.h"
#include "cgroup/totals.h"
#include "keeper/facts.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/measure.h"
#include "base/text.h"
#include "base/visible.h"

#include <stdio.h>
#include <string.h>

#define LOG_LINES 10
#define LOG_BYTES 4096
#define ENTRIES_MAX 100000 /* a tenth of a second */

static void add_totals(const struct record *record, struct usage *usage)
{
	cleanup_free char *group = xasprintf("%s/%s/server", record->cgroup, record->grant.id);
	struct cgroup_totals totals;
	struct cgroup_tree tree;

	if (cgroup_tree_discover(&tree, NULL) == 0) {
		cgroup_totals_read(&tree, group, &totals);
		usage->memory_bytes = totals.memory_peak;
		usage->cpu_ns = totals.cpu_ns;
		usage->io_bytes = totals.io_written;
		snprintf(usage->io_by, sizeof(usage->io_by), "%s", totals.io_by);
	}
	cgroup_tree_deinit(&tree);
}

/* Without a limit what counts is in the uppers of the state directory. */
static int64_t measure_uppers(int state, const struct record *record)
{
	int64_t sum = 0;

	for (size_t i = 0; record->layers && record->layers[i]; i++) {
		cleanup_free char *path = xasprintf("layer/%zu/upper", i);
		int64_t one = measure_tree(state, path, ENTRIES_MAX);

		if (one < 0)
			return -1;
		sum += one;
	}
	return sum;
}

static int64_t measure_disk(const struct site *site, const struct record *record,
			    int64_t pool_bytes)
{
	cleanup_fd int state = site_open_state_of(site, record->grant.id), pool = -1;
	struct disk_usage usage;

	if (disk_is_detached(record))
		return pool_bytes;
	if (state < 0)
		return -1;
	if (!record->disk)
		return measure_uppers(state, record);
	pool = file_open_directory(state, disk_path(record));
	return pool >= 0 && disk_read(record, pool, &usage) == 0 ? (int64_t)usage.used : -1;
}

static void add_line(const struct log_record *record, void *data)
{
	struct text *text = data;

	text_add_visible(text, record->text, record->length);
	if (!record->more)
		text_add(text, "\n");
}

/* The last of it, from the beginning of a line, or of a character where there is but one line. */
static char *cut_front(const char *text, size_t length)
{
	const char *from = text + length - LOG_BYTES;
	const char *newline;

	if (length <= LOG_BYTES)
		return xstrdup(text);
	newline = strchr(from, '\n');
	if (newline && newline[1])
		return xstrdup(newline + 1);
	while ((*from & 0xc0) == 0x80)
		from++;
	return xstrdup(from);
}

static char *read_log_tail(const struct site *site, const char *id)
{
	cleanup_text struct text text = {0};
	struct log_reader reader;

	if (log_open(site, id, &reader) < 0)
		return NULL;
	if (log_skip_to_last(&reader, LOG_LINES) == 0)
		(void)log_read(&reader, add_line, &text);
	log_close(&reader);
	return text.length ? cut_front(text.data, text.length) : NULL;
}

void usage_gather(const struct site *site, const struct record *record, const struct status *status,
		  struct usage *ret_usage)
{
	cleanup_fd int run = site_open_run_of(site, record->grant.id);
	struct usage usage = ending_unknown.usage;
	struct facts facts = facts_unknown;

	if (run >= 0)
		(void)facts_read(run, &facts);
	if (status) {
		usage.restarts = status->restarts;
		if (status->ready_ns)
			usage.ready_after_ns = status->ready_ns - status->started_ns;
	}
	usage.connections = facts.connections;
	usage.bytes_in = facts.bytes_in;
	usage.bytes_out = facts.bytes_out;
	add_totals(record, &usage);
	usage.disk_bytes = measure_disk(site, record, facts.pool_bytes);
	usage.log = read_log_tail(site, record->grant.id);
	*ret_usage = usage;
}
