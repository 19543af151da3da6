/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of bytes cut into lines, and lines longer than LINES_PIECE_MAX into pieces. Holds what
 * is unfinished, never more. In the forwarder, for the server's output.
 */
#ifndef KEEPER_LINES_H
#define KEEPER_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINES_PIECE_MAX 8192

struct lines_piece {
	const char *text; /* any bytes but newline; not terminated */
	size_t length;
	bool first; /* a line begins with it */
	bool last;  /* a line ends with it */
};

typedef void lines_taker(void *arg, const struct lines_piece *piece);

/* Zero-initialise. */
struct lines {
	size_t length;
	bool midway; /* pieces of the line that is held were handed out */
	char held[LINES_PIECE_MAX];
};

/* Calls take for each piece that is complete. */
void lines_feed(struct lines *lines, const char *data, size_t length, lines_taker *take, void *arg);

/* Hands out what is held, if anything, as the last piece of its line or as an unfinished one. */
void lines_flush(struct lines *lines, bool last, lines_taker *take, void *arg);

#endif
