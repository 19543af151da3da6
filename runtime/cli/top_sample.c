/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stint top shows: read twice, because a rate needs a time between. The kernel's counters of a
 * thousand instances cost a few files each; a keeper is asked only for what is shown. See top.h.
 */
#include "cli/top.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "instance/traffic.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

const struct top_order top_orders[TOP_KEYS] = {
	[TOP_CPU] = {"cpu", 'c', false},
	[TOP_MEMORY] = {"memory", 'm', false},
	[TOP_CONNECTIONS] = {"connections", 'o', true},
	[TOP_BYTES] = {"bytes", 'b', true},
	[TOP_LEFT] = {"left", 'l', false},
	[TOP_NAME] = {"name", 'n', false},
};

void top_sample_deinit(struct top_sample *sample)
{
	for (size_t i = 0; i < sample->n; i++)
		record_free(sample->rows[i].record);
	free(sample->rows);
	*sample = (struct top_sample){0};
}

/* The order of a sample changes: few are looked for at a time, and by id. */
static const struct top_row *find(const struct top_sample *sample, const char *id, size_t hint)
{
	if (sample && hint < sample->n && strcmp(sample->rows[hint].record->grant.id, id) == 0)
		return &sample->rows[hint];
	for (size_t i = 0; sample && i < sample->n; i++)
		if (strcmp(sample->rows[i].record->grant.id, id) == 0)
			return &sample->rows[i];
	return NULL;
}

static double rate(int64_t before, int64_t now, int64_t elapsed_ns)
{
	if (before < 0 || now < before || elapsed_ns <= 0)
		return -1;
	return (double)(now - before) / (double)elapsed_ns;
}

static void fill_row(const struct site *site, const struct gauge *gauge, struct top_row *row)
{
	instance_observe(site, row->record, &row->status);
	gauge_read(gauge, row->record, &row->gauge);
	row->cpu_percent = row->bytes_per_second = -1;
	row->connections = row->bytes = -1;
}

static int by_id(const void *a, const void *b)
{
	const struct top_row *left = a, *right = b;

	return strcmp(left->record->grant.id, right->record->grant.id);
}

/* Both by id, so that a thousand are compared in one go. */
static void fill_rates(const struct top_sample *before, struct top_sample *sample)
{
	struct top_sample sorted = {.n = before->n};

	sorted.rows = xcalloc(before->n + 1, sizeof(*sorted.rows));
	if (before->n)
		memcpy(sorted.rows, before->rows, before->n * sizeof(*sorted.rows));
	qsort(sorted.rows, sorted.n, sizeof(*sorted.rows), by_id);
	for (size_t i = 0; i < sample->n; i++) {
		struct top_row *row = &sample->rows[i];
		const struct top_row *old =
			bsearch(row, sorted.rows, sorted.n, sizeof(*row), by_id);

		if (old)
			row->cpu_percent = 100 * rate(old->gauge.cpu_ns, row->gauge.cpu_ns,
						      sample->at_ns - before->at_ns);
	}
	free(sorted.rows);
}

static int load(const struct site *site, struct record ***ret_records, size_t *ret_n,
		struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(site->state_path, &store, err);

	return r < 0 ? r : store_list(store, ret_records, ret_n, err);
}

int top_sample(const struct caller *caller, const struct site *site, const struct gauge *gauge,
	       const struct top_sample *before, struct top_sample *ret_sample, struct error *err)
{
	struct top_sample sample = {.at_ns = clock_boottime_ns()};
	struct record **records = NULL;
	size_t n = 0;
	int r = load(site, &records, &n, err);

	if (r < 0)
		return r;
	sample.rows = xcalloc(n + 1, sizeof(*sample.rows));
	for (size_t i = 0; i < n; i++) {
		if (records[i]->kept_until_ns || !caller_owns(caller, records[i])) {
			record_free(records[i]);
			continue;
		}
		sample.rows[sample.n].record = records[i];
		fill_row(site, gauge, &sample.rows[sample.n++]);
	}
	free(records);
	if (before)
		fill_rates(before, &sample);
	*ret_sample = sample;
	return 0;
}

static void count(const struct site *site, const struct top_sample *before, struct top_row *row,
		  size_t hint)
{
	const struct top_row *old;
	struct counts counts;

	if (row->counted)
		return;
	row->counted = true;
	row->counted_ns = clock_boottime_ns();
	if (!traffic_read(site, row->record, &counts))
		return;
	row->connections = row->bytes = 0;
	/* a forwarder may say what it likes: nothing but the picture depends on it */
	for (size_t i = 0; i < row->record->grant.n_ports; i++) {
		row->connections += (int64_t)(counts.ports[i].now & INT32_MAX);
		row->bytes +=
			(int64_t)((counts.ports[i].in + counts.ports[i].out) & INT64_MAX >> 8);
	}
	old = find(before, row->record->grant.id, hint);
	if (old && old->counted)
		row->bytes_per_second =
			1e9 * rate(old->bytes, row->bytes, row->counted_ns - old->counted_ns);
	if (row->bytes_per_second < 0)
		row->bytes_per_second = -1;
}

static double value_of(const struct top_row *row, enum top_key key)
{
	switch (key) {
	case TOP_CPU:
		return row->cpu_percent;
	case TOP_MEMORY:
		return (double)row->gauge.memory_bytes;
	case TOP_CONNECTIONS:
		return (double)row->connections;
	case TOP_BYTES:
		return row->bytes_per_second;
	case TOP_LEFT:
		/* what ends first comes first */
		return -(double)instance_left_ns(row->record, &row->status);
	default:
		return 0;
	}
}

static int compare(const void *a, const void *b, void *data)
{
	const struct top_row *left = a, *right = b;
	enum top_key key = *(enum top_key *)data;
	double l = value_of(left, key), r = value_of(right, key);

	if (l != r)
		return l > r ? -1 : 1;
	return strcmp(left->record->grant.name, right->record->grant.name);
}

void top_arrange(const struct site *site, const struct top_sample *before,
		 struct top_sample *sample, enum top_key key, size_t n)
{
	if (n > sample->n || top_orders[key].counts)
		n = sample->n;
	for (size_t i = 0; top_orders[key].counts && i < n; i++)
		count(site, before, &sample->rows[i], i);
	if (sample->n)
		qsort_r(sample->rows, sample->n, sizeof(*sample->rows), compare, &key);
	for (size_t i = 0; i < n; i++)
		count(site, before, &sample->rows[i], i);
}
