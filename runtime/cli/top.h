/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of stint top: sampled, put in order, printed. Only for top*.c. */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include "cli/caller.h"
#include "instance/gauge.h"
#include "instance/instance.h"

#include <jansson.h>

/* One instance. A number that nobody could tell, or not yet, is negative. */
struct top_row {
	struct record *record;
	struct status status;
	struct gauge_reading gauge;
	double cpu_percent; /* of one processor */
	bool counted;	    /* the keeper was asked for the next */
	int64_t connections, bytes;
	int64_t counted_ns; /* boot time */
	double bytes_per_second;
};

struct top_sample {
	int64_t at_ns; /* boot time */
	struct top_row *rows;
	size_t n;
};

enum top_key { TOP_CPU, TOP_MEMORY, TOP_CONNECTIONS, TOP_BYTES, TOP_LEFT, TOP_NAME, TOP_KEYS };

/* What a key on the terminal, and --sort, choose. */
struct top_order {
	const char *name;
	char letter;
	bool counts; /* of all instances, not only of those that are shown */
};

extern const struct top_order top_orders[TOP_KEYS];

/* All running instances that the caller may see; before: the last sample, NULL: this is the first.
 */
int top_sample(const struct caller *caller, const struct site *site, const struct gauge *gauge,
	       const struct top_sample *before, struct top_sample *ret_sample, struct error *err);
void top_sample_deinit(struct top_sample *sample);

/*
 * Puts the rows in order, and asks the keepers of the first n (those that are shown, or all where
 * the order needs it) what went through their ports. May be called again for another order.
 */
void top_arrange(const struct site *site, const struct top_sample *before,
		 struct top_sample *sample, enum top_key key, size_t n);

/* As many lines as fit, the summary and the heads among them; columns and rows 0: all. */
void top_print(const struct top_sample *sample, enum top_key key, unsigned columns, unsigned rows,
	       struct text *text);

/* How many instances fit into so many rows of a screen. */
size_t top_capacity(unsigned rows);

json_t *top_json(const struct top_sample *sample, const struct top_sample *before);

#endif
