/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an instance's log (keeper/forwarder.h describes its records) while it is written. */
#ifndef INSTANCE_LOG_H
#define INSTANCE_LOG_H

#include "instance/site.h"

#include <stdint.h>

struct log_record {
	int64_t time_us; /* microseconds since the epoch */
	bool is_error;	 /* stderr */
	bool more;	 /* the line goes on in the stream's next record */
	const char *text;
	size_t length;
};

struct log_reader {
	int fd;
	int64_t offset; /* of the first byte that was not delivered */
};

/* -ENOENT when the instance has no log (any more). */
int log_open(const struct site *site, const char *id, struct log_reader *ret_reader);
void log_close(struct log_reader *reader);

/* Moves behind all but the last lines records. */
int log_skip_to_last(struct log_reader *reader, size_t lines);

/* Delivers every complete record from the offset on; 0 or a negative errno. */
int log_read(struct log_reader *reader, void (*deliver)(const struct log_record *, void *),
	     void *data);

/* True when the file was removed: nothing will be added. */
bool log_is_over(const struct log_reader *reader);

#endif
