/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stint logs: what the server wrote. On a terminal nothing of it may steer the terminal; into a
 * file or a pipe it goes as it is.
 */
#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/output.h"
#include "instance/log.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/visible.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One of the two streams: what belongs to it and was not written yet. */
struct stream {
	int fd;
	bool terminal;
	bool midway; /* its last line is not at its end */
	struct text pending;
};

struct printer {
	struct stream out, errs;
	bool timestamps, json;
	int failed; /* negative errno of the first write that did not work */
};

static void flush_stream(struct printer *printer, struct stream *stream)
{
	if (stream->pending.length > 0 && printer->failed == 0)
		printer->failed =
			file_write_all(stream->fd, stream->pending.data, stream->pending.length);
	stream->pending.length = 0;
}

/* RFC 3339 with milliseconds, local time. */
static void add_time(struct text *text, int64_t time_us)
{
	time_t seconds = (time_t)(time_us / 1000000);
	char moment[40] = "", zone[16] = "";
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(moment, sizeof(moment), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	text_addf(text, "%s.%03d%.3s:%s ", moment, (int)(time_us % 1000000 / 1000), zone, zone + 3);
}

/* An object a line; bytes that are no text are shown as on a terminal. */
static void add_json(struct text *text, const struct log_record *record)
{
	cleanup_text struct text shown = {0}, time = {0};
	cleanup_free char *line = NULL;
	json_t *object;

	add_time(&time, record->time_us);
	time.data[time.length - 1] = '\0'; /* the blank behind it */
	text_add_visible(&shown, record->text, record->length);
	object = json_pack("{s:s, s:s, s:s, s:b}", "time", time.data, "stream",
			   record->is_error ? "stderr" : "stdout", "text",
			   shown.data ? shown.data : "", "continued", (int)record->more);
	line = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	text_addf(text, "%s\n", line ? line : "{}");
}

static void print_record(const struct log_record *record, void *data)
{
	struct printer *printer = data;
	struct stream *stream = record->is_error ? &printer->errs : &printer->out;
	struct stream *other = record->is_error ? &printer->out : &printer->errs;

	if (printer->json) {
		add_json(&printer->out.pending, record);
		return;
	}
	/* both may be the same terminal, where the order tells the story */
	flush_stream(printer, other);
	if (printer->timestamps && !stream->midway)
		add_time(&stream->pending, record->time_us);
	if (stream->terminal)
		text_add_visible(&stream->pending, record->text, record->length);
	else
		text_add_bytes(&stream->pending, record->text, record->length);
	stream->midway = record->more;
	if (!record->more)
		text_add(&stream->pending, "\n");
	if (stream->pending.length > 32768)
		flush_stream(printer, stream);
}

/* 0, or a negative errno: of reading, or of a standard stream that takes nothing more. */
static int print_new(struct log_reader *reader, struct printer *printer)
{
	int r = log_read(reader, print_record, printer);

	flush_stream(printer, &printer->out);
	flush_stream(printer, &printer->errs);
	return r < 0 ? r : printer->failed;
}

/* The watch begins before the first look, and the file's end is seen before the last. */
static int follow(struct log_reader *reader, struct printer *printer, struct error *err)
{
	cleanup_fd int notify = follow_watch(reader, err);
	bool over;
	int r;

	if (notify < 0)
		return notify;
	do {
		over = log_is_over(reader);
		r = print_new(reader, printer);
	} while (r == 0 && !over && follow_wait(notify));
	return r;
}

static int print_log(const struct invocation *invocation, struct log_reader *reader,
		     struct error *err)
{
	const struct options *options = &invocation->options;
	struct printer printer = {
		.out = {.fd = STDOUT_FILENO, .terminal = isatty(STDOUT_FILENO)},
		.errs = {.fd = STDERR_FILENO, .terminal = isatty(STDERR_FILENO)},
		.timestamps = options->timestamps,
		.json = options->json,
	};
	uint64_t lines;
	int r = 0;

	if (options->lines && parse_number(options->lines, UINT32_MAX, &lines) < 0)
		return error_say(err, ERROR_USAGE, "'%s' is no number of lines", options->lines);
	if (options->lines)
		r = log_skip_to_last(reader, (size_t)lines);
	*err = (struct error){0};
	if (r == 0)
		r = options->follow ? follow(reader, &printer, err) : print_new(reader, &printer);
	text_deinit(&printer.out.pending);
	text_deinit(&printer.errs.pending);
	if (r == -EPIPE)
		return 0;
	return r < 0 && !err->code ? error_set(err, -r, "cannot print the log") : r;
}

static int run_logs(const struct invocation *invocation)
{
	struct log_reader reader = {.fd = -1};
	cleanup_record struct record *record = NULL;
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int r = open_named(invocation->caller, invocation->args[0], &site, &record, &err);

	if (r == 0) {
		r = log_open(&site, record->grant.id, &reader);
		if (r < 0)
			error_set(&err, -r, "'%s' has no log", record->grant.name);
	}
	if (r == 0)
		r = print_log(invocation, &reader, &err);
	log_close(&reader);
	site_close(&site);
	return r < 0 ? report(&err) : 0;
}

const struct command logs_command = {
	.name = "logs",
	.usage = "NAME [OPTION...]",
	.options = "follow lines timestamps json",
	.summary = "print what the server wrote",
	.description =
		"The server's standard output goes to standard output, its standard error to "
		"standard error. On a terminal, control characters are shown as \\x1b and the "
		"like, colours excepted; elsewhere nothing is changed. The log is bounded: of a "
		"talkative server the oldest part is gone. With --follow, goes on until the "
		"instance has ended.",
	.min_args = 1,
	.max_args = 1,
	.run = run_logs,
};
