/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of an instance, as the forwarder writes it: records in batches, bounded from the front.
 * A reader meets: a hole (zeros) at the beginning, then the rest of a record that the hole cut;
 * where a disk was full, a record that ends early.
 */
#ifndef KEEPER_LOGFILE_H
#define KEEPER_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGFILE_BATCH_SIZE 65536
#define LOGFILE_HEAD_SIZE 64

struct logfile {
	int fd;
	uint64_t limit;
	uint64_t start, end; /* what is in the file: start is where the hole ends */
	uint64_t lost;	     /* records that could not be written since the last that was */
	bool torn;	     /* the last record in the file has no end */
	bool cannot_punch;   /* the file system does not release parts of a file */
	char stamp[LOGFILE_HEAD_SIZE]; /* of the batch: it all came in one round of the loop */
	size_t prefix;		       /* bytes of the batch that come before its records */
	size_t used;
	char *batch;
};

/*
 * The file is O_WRONLY and nobody else writes to it; what is in it stays. limit: bytes to keep,
 * 0: all. batch: LOGFILE_BATCH_SIZE bytes that need not survive once the batch is flushed.
 */
void logfile_init(struct logfile *log, int fd, uint64_t limit, char *batch);

/*
 * Adds "<seconds>.<microseconds> <stream> <+|-> text\n" to the batch: '+' when complete. The text
 * is at most LINES_PIECE_MAX bytes without a newline.
 */
void logfile_add(struct logfile *log, char stream, bool complete, const char *text, size_t length);

/*
 * Writes the batch, if there is one, and lets go of the oldest part of the file when it has grown
 * past the limit: by at least a quarter of the limit at once, in whole blocks. So the file
 * occupies at most limit, a batch and a block. Records that cannot be written are counted, and the
 * next batch that can be says how many they were.
 */
void logfile_flush(struct logfile *log);

#endif
