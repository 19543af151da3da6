/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: any bytes as what a server writes, in pieces of any length. They go through the
 * forwarder's lines and log file and come out of the reader as they were; and what is shown of
 * them holds no control character but tabs and colours.
 */
#include "fuzz.h"
#include "base/visible.h"
#include "instance/log.h"
#include "keeper/lines.h"
#include "keeper/logfile.h"

#include <sys/mman.h>
#include <unistd.h>

#define WRITTEN_MAX (80 << 10)

static void add_piece(void *arg, const struct lines_piece *piece)
{
	must(piece->length <= LINES_PIECE_MAX);
	logfile_add(arg, 'o', piece->last, piece->text, piece->length);
}

/*
 * A log with what the server wrote. Each piece begins with how long it is and how often it comes:
 * lines longer than the forwarder holds need little input.
 */
static void write_log(int fd, const uint8_t *data, size_t size, struct text *ret_written)
{
	static char batch[LOGFILE_BATCH_SIZE];
	cleanup_free struct lines *lines = xcalloc(1, sizeof(*lines));
	struct logfile log;

	must(ftruncate(fd, 0) == 0);
	logfile_init(&log, fd, 0, batch);
	while (size > 0) {
		size_t n = fuzz_byte(&data, &size);
		unsigned times = 1U + fuzz_byte(&data, &size);

		n = n < size ? n : size;
		for (; times > 0 && ret_written->length < WRITTEN_MAX; times--) {
			lines_feed(lines, (const char *)data, n, add_piece, &log);
			text_add_bytes(ret_written, data, n);
		}
		data += n;
		size -= n;
	}
	lines_flush(lines, true, add_piece, &log);
	logfile_flush(&log);
}

static void check_shown(const char *data, size_t length)
{
	cleanup_text struct text shown = {0};

	text_add_visible(&shown, data, length);
	for (size_t i = 0; i < shown.length; i++) {
		unsigned char c = (unsigned char)shown.data[i];

		must(c >= 0x20 || c == '\t' || (c == 0x1b && shown.data[i + 1] == '['));
		must(c != 0x7f);
	}
}

static void read_back(const struct log_record *record, void *data)
{
	text_add_bytes(data, record->text, record->length);
	if (!record->more)
		text_add(data, "\n");
	check_shown(record->text, record->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	cleanup_text struct text written = {0}, seen = {0};
	struct log_reader reader = {0};

	if (fd < 0)
		fd = memfd_create("log", MFD_CLOEXEC);
	reader.fd = fd;
	write_log(fd, data, size, &written);
	/* the log ends the last line where the server did not */
	if (written.length > 0 && written.data[written.length - 1] != '\n')
		text_add(&written, "\n");
	must(log_read(&reader, read_back, &seen) == 0);
	must(seen.length == written.length &&
	     (seen.length == 0 || memcmp(seen.data, written.data, seen.length) == 0));
	return 0;
}
