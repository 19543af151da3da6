/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this host can and cannot do for stint, found out by trying: in child processes with
 * namespaces of their own, so that nothing of it stays. Without root, what needs root is not tried.
 */
#ifndef INSTANCE_DOCTOR_H
#define INSTANCE_DOCTOR_H

#include "instance/site.h"

#include <stdbool.h>

enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_NOTE,	/* sandboxes start, but something is different or not possible */
	DOCTOR_MISSING, /* sandboxes cannot be started */
};

struct doctor_line {
	enum doctor_verdict verdict;
	const char *check; /* one word or two */
	char *text;
	char *fix; /* NULL: none is needed, or none is known */
};

struct doctor_report {
	struct doctor_line *list;
	size_t n;
};

/* The site may be one that was only located. The caller ends ret_report with doctor_deinit. */
void doctor_examine(const struct site *site, struct doctor_report *ret_report);
void doctor_deinit(struct doctor_report *report);

/* check must outlive the report; text and fix (or NULL) are copied. */
void doctor_add(struct doctor_report *report, enum doctor_verdict verdict, const char *check,
		const char *text, const char *fix);
void doctor_addf(struct doctor_report *report, enum doctor_verdict verdict, const char *check,
		 const char *fix, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "ok", "note", "missing" */
const char *doctor_verdict_name(enum doctor_verdict verdict);

/* False when something is missing. */
bool doctor_can_start(const struct doctor_report *report);

#endif
