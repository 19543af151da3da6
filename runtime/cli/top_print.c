/* SPDX-License-Identifier: Apache-2.0 */
/* The picture of stint top, and the same as JSON; see top.h. */
#include "cli/top.h"
#include "cli/output.h"
#include "base/clock.h"
#include "base/visible.h"

#include <stdio.h>
#include <string.h>

#define LINES_ABOVE 3 /* summary, keys, heads */
#define WIDTH 80
#define NAME_MIN 12
#define OTHERS 57 /* what stands beside the name */

size_t top_capacity(unsigned rows)
{
	return rows > LINES_ABOVE ? rows - LINES_ABOVE : 0;
}

/* "1.5G", "512M", "17": four or five characters. */
static void format_short(double bytes, char *buffer, size_t size)
{
	static const char units[] = " KMGTP";
	size_t unit = 0;

	if (bytes < 0) {
		snprintf(buffer, size, "-");
		return;
	}
	while (bytes >= 1000 && unit + 2 < sizeof(units)) {
		bytes /= 1024;
		unit++;
	}
	if (unit == 0)
		snprintf(buffer, size, "%.0f", bytes);
	else
		snprintf(buffer, size, bytes < 9.95 ? "%.1f%c" : "%.0f%c", bytes, units[unit]);
}

static void format_number(double number, const char *format, char *buffer, size_t size)
{
	if (number < 0)
		snprintf(buffer, size, "-");
	else
		snprintf(buffer, size, format, number);
}

static void format_memory(const struct top_row *row, char *buffer, size_t size)
{
	char used[16], limit[16] = "-";

	format_short((double)row->gauge.memory_bytes, used, sizeof(used));
	if (row->record->memory_bytes)
		format_short((double)row->record->memory_bytes, limit, sizeof(limit));
	snprintf(buffer, size, "%s/%s", used, limit);
}

static void add_row(const struct top_row *row, int width, struct text *text)
{
	struct text name = {0};
	char cpu[16], memory[40], connections[16], bytes[16], left[32];

	text_add_visible_name(&name, row->record->grant.name);
	format_number(row->cpu_percent, "%.1f", cpu, sizeof(cpu));
	format_memory(row, memory, sizeof(memory));
	format_number((double)row->connections, "%.0f", connections, sizeof(connections));
	format_short(row->bytes_per_second, bytes, sizeof(bytes));
	format_duration(instance_left_ns(row->record, &row->status), left, sizeof(left));
	text_addf(text, "%-*.*s %-8s %7s %11s %6s %8s %10s\n", width, width,
		  name.data ? name.data : "", instance_state_name(row->status.state), cpu, memory,
		  connections, bytes, left);
	text_deinit(&name);
}

/* Whatever the width of the screen: a longer line would push all others down. */
static void add_cut(struct text *text, const char *line, unsigned columns)
{
	text_addf(text, "%.*s\n", columns ? (int)columns : (int)strlen(line), line);
}

static void add_summary(const struct top_sample *sample, unsigned columns, struct text *text)
{
	double cpu = 0, memory = 0, limits = 0;
	char used[16], promised[16], moment[64], line[200];

	for (size_t i = 0; i < sample->n; i++) {
		const struct top_row *row = &sample->rows[i];

		cpu += row->cpu_percent > 0 ? row->cpu_percent : 0;
		memory += row->gauge.memory_bytes > 0 ? (double)row->gauge.memory_bytes : 0;
		limits += (double)row->record->memory_bytes;
	}
	format_short(memory, used, sizeof(used));
	format_short(limits, promised, sizeof(promised));
	format_moment(clock_wall_ns() / NSEC_PER_SEC, moment, sizeof(moment));
	snprintf(line, sizeof(line), "%s  %zu instance%s, cpu %.1f %%, memory %s, limits %s",
		 moment, sample->n, plural(sample->n), cpu, used, promised);
	add_cut(text, line, columns);
}

static void add_keys(enum top_key key, unsigned columns, struct text *text)
{
	struct text line = {0};

	text_add(&line, "by ");
	for (int i = 0; i < TOP_KEYS; i++)
		text_addf(&line, i == (int)key ? "[%c %s] " : "%c %s  ", top_orders[i].letter,
			  top_orders[i].name);
	text_add(&line, "q quit");
	add_cut(text, line.data, columns);
	text_deinit(&line);
}

void top_print(const struct top_sample *sample, enum top_key key, unsigned columns, unsigned rows,
	       struct text *text)
{
	int width = (int)(columns ? columns : WIDTH) - OTHERS;
	size_t shown = rows ? top_capacity(rows) : sample->n;
	struct text line = {0};

	if (width < NAME_MIN)
		width = NAME_MIN;
	if (width > INSTANCE_NAME_MAX)
		width = INSTANCE_NAME_MAX;
	if (rows) {
		add_summary(sample, columns, text);
		add_keys(key, columns, text);
	}
	text_addf(&line, "%-*s %-8s %7s %11s %6s %8s %10s", width, "NAME", "STATE", "CPU%",
		  "MEMORY", "CONN", "BYTES/S", "LEFT");
	add_cut(text, line.data, columns);
	for (size_t i = 0; i < sample->n && i < shown; i++) {
		struct text row = {0};

		add_row(&sample->rows[i], width, &row);
		row.data[row.length - 1] = '\0';
		add_cut(text, row.data, columns);
		text_deinit(&row);
	}
	text_deinit(&line);
}

static json_t *json_known(double number)
{
	return number < 0 ? json_null() : json_real(number);
}

static json_t *json_count(int64_t number)
{
	return number < 0 ? json_null() : json_integer(number);
}

static json_t *json_row(const struct top_row *row)
{
	const struct record *record = row->record;
	int64_t limit = record->memory_bytes ? (int64_t)record->memory_bytes : -1;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:f}", "name",
			 record->grant.name, "id", record->grant.id, "template",
			 record->template_name, "owner", record->grant.owner, "state",
			 instance_state_name(row->status.state), "cpu_percent",
			 json_known(row->cpu_percent), "memory_bytes",
			 json_count(row->gauge.memory_bytes), "memory_limit_bytes",
			 json_count(limit), "connections", json_count(row->connections),
			 "bytes_per_second", json_known(row->bytes_per_second), "left_seconds",
			 (double)instance_left_ns(record, &row->status) / 1e9);
}

json_t *top_json(const struct top_sample *sample, const struct top_sample *before)
{
	json_t *list = json_array();
	char moment[32];

	for (size_t i = 0; i < sample->n; i++)
		json_push(list, json_row(&sample->rows[i]));
	format_rfc3339(clock_wall_ns() / NSEC_PER_SEC, moment, sizeof(moment));
	return json_pack("{s:s, s:f, s:o}", "time", moment, "interval_seconds",
			 (double)(sample->at_ns - before->at_ns) / 1e9, "instances", list);
}
