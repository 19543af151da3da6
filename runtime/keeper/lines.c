/* SPDX-License-Identifier: Apache-2.0 */
/* A stream of bytes cut into lines; see lines.h. */
#include "keeper/lines.h"

#include <string.h>

static void hand_out(struct lines *lines, bool last, lines_taker *take, void *arg)
{
	struct lines_piece piece = {
		.text = lines->held,
		.length = lines->length,
		.first = !lines->midway,
		.last = last,
	};

	lines->length = 0;
	lines->midway = !last;
	take(arg, &piece);
}

void lines_feed(struct lines *lines, const char *data, size_t length, lines_taker *take, void *arg)
{
	const char *end = data + length;

	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		size_t n = (size_t)((newline ? newline : end) - data);
		size_t room = sizeof(lines->held) - lines->length;
		bool fits = n <= room;

		memcpy(lines->held + lines->length, data, fits ? n : room);
		lines->length += fits ? n : room;
		data += fits ? n : room;
		if (!fits || newline)
			hand_out(lines, fits, take, arg);
		if (fits && newline)
			data++;
	}
}

void lines_flush(struct lines *lines, bool last, lines_taker *take, void *arg)
{
	if (lines->length > 0 || (lines->midway && last))
		hand_out(lines, last, take, arg);
}
