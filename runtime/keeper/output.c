/* SPDX-License-Identifier: Apache-2.0 */
/* The server's output; see output.h. */
#include "keeper/output.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#define AHEAD_NS NSEC_PER_SEC

static void take_piece(void *arg, const struct lines_piece *piece)
{
	struct output_stream *stream = arg;

	stream->output->n_pieces++;
	stream->output->take(stream->output->arg, stream->letter, piece);
}

static void watch(struct output *output, uint32_t events)
{
	for (size_t i = 0; i < ARRAY_SIZE(output->streams); i++)
		if (output->streams[i].source)
			(void)loop_change(output->loop, output->streams[i].source, events);
}

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* How long the portion may take; when that is in the future, nothing is read until then. */
static void settle(struct output *output, size_t bytes, int64_t now)
{
	int64_t for_bytes = (int64_t)bytes * NSEC_PER_SEC / OUTPUT_BYTES_MAX;
	int64_t for_lines = (int64_t)output->n_pieces * NSEC_PER_SEC / OUTPUT_LINES_MAX;

	output->settled_ns =
		longer(output->settled_ns, now - AHEAD_NS) + longer(for_bytes, for_lines);
	if (output->settled_ns > now)
		watch(output, 0);
}

/* Takes one portion of at most max bytes; what read(2) says. */
static ssize_t read_stream(struct output_stream *stream, size_t max)
{
	struct output *output = stream->output;
	ssize_t n =
		read(stream->source->fd, output->buffer, max < output->size ? max : output->size);

	output->n_pieces = 0;
	if (n > 0)
		lines_feed(&stream->lines, output->buffer, (size_t)n, take_piece, stream);
	return n;
}

static void end_stream(struct output_stream *stream)
{
	lines_flush(&stream->lines, false, take_piece, stream);
	loop_close(stream->output->loop, &stream->source);
}

static void on_output(void *arg, uint32_t events)
{
	struct output_stream *stream = arg;
	ssize_t n = read_stream(stream, stream->output->size);

	(void)events;
	if (n > 0)
		settle(stream->output, (size_t)n, clock_boottime_ns());
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		end_stream(stream);
}

/* What is in the pipe now: a process that survives the server could fill it for ever. */
static void take_rest(struct output_stream *stream)
{
	int left = 0;

	if (!stream->source || ioctl(stream->source->fd, FIONREAD, &left) < 0)
		return;
	while (left > 0) {
		ssize_t n = read_stream(stream, (size_t)left);

		if (n <= 0 && !(n < 0 && errno == EINTR))
			break;
		left -= n > 0 ? (int)n : 0;
	}
}

static int open_stream(struct output *output, struct output_stream *stream, char letter, int fd)
{
	int flags;

	stream->output = output;
	stream->letter = letter;
	if (fd < 0)
		return 0;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return loop_add(output->loop, fd, EPOLLIN, on_output, stream, &stream->source);
}

int output_init(struct output *output, struct loop *loop, int out, int errs, char *buffer,
		size_t size, output_taker *take, void *arg)
{
	int r;

	*output = (struct output){
		.loop = loop, .take = take, .arg = arg, .buffer = buffer, .size = size};
	r = open_stream(output, &output->streams[0], 'o', out);
	return r < 0 ? r : open_stream(output, &output->streams[1], 'e', errs);
}

int64_t output_step(struct output *output, int64_t now)
{
	if (output->settled_ns > now)
		return output->settled_ns;
	watch(output, EPOLLIN);
	return INT64_MAX;
}

void output_end_server(struct output *output)
{
	bool waits = output->settled_ns > clock_boottime_ns();

	for (size_t i = 0; i < ARRAY_SIZE(output->streams); i++) {
		struct output_stream *stream = &output->streams[i];

		/* else what there is may be the next server's already */
		if (waits)
			take_rest(stream);
		lines_flush(&stream->lines, true, take_piece, stream);
	}
}

void output_finish(struct output *output)
{
	for (size_t i = 0; i < ARRAY_SIZE(output->streams); i++) {
		struct output_stream *stream = &output->streams[i];

		take_rest(stream);
		if (stream->source)
			end_stream(stream);
	}
}
