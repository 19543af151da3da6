/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's output: two pipes, read in portions and cut into lines. In the forwarder, which is
 * outside of the limits of the instance: a server can fill a pipe at no cost (tee(2)) with what
 * costs to read, line by line. So there is a pace for both together. Who is faster waits in
 * write(2) as for any slow reader, and nothing is lost.
 */
#ifndef KEEPER_OUTPUT_H
#define KEEPER_OUTPUT_H

#include "keeper/lines.h"
#include "keeper/loop.h"

#include <stdint.h>
#include <sys/types.h>

#define OUTPUT_BYTES_MAX (16 << 20) /* a second, and after a rest so many more at once */
#define OUTPUT_LINES_MAX 200000	    /* the same; pieces of long ones count as lines */

/* letter: 'o' or 'e', of the stream. */
typedef void output_taker(void *arg, char letter, const struct lines_piece *piece);

struct output {
	struct loop *loop;
	output_taker *take;
	void *arg;
	char *buffer; /* for use within one call only */
	size_t size;
	size_t n_pieces;    /* of the portion that is read */
	int64_t settled_ns; /* boot time until which the pace is used up */
	struct output_stream {
		struct output *output;
		struct source *source; /* NULL: none, or it ended */
		char letter;
		struct lines lines;
	} streams[2];
};

/* Watches both descriptors, which are its own from now on; -1: none. 0 or a negative errno. */
int output_init(struct output *output, struct loop *loop, int out, int errs, char *buffer,
		size_t size, output_taker *take, void *arg);

/* Goes on when the time has come; the boot time at which to call again, INT64_MAX: never. */
int64_t output_step(struct output *output, int64_t now);

/* The server is gone: what it wrote too fast is taken now, and a line without an end is complete.
 */
void output_end_server(struct output *output);

/* Takes what is in the pipes, and closes them. */
void output_finish(struct output *output);

#endif
