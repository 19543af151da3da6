/* SPDX-License-Identifier: Apache-2.0 */
/* What commands print, for people (80 columns) and as JSON. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/caller.h"
#include "cli/json.h"
#include "instance/instance.h"

/* "http://127.0.0.1:40123" */
char *port_url(const struct published_port *port);

/* Local time "18:04:11", with the date when it is not today's. */
void format_moment(int64_t seconds, char *buffer, size_t size);

/* RFC 3339 in UTC, for JSON. */
void format_rfc3339(int64_t seconds, char *buffer, size_t size);

/* For each published port: name, url, address, port, inside_port. */
json_t *json_ports(const struct grant *grant);

/* name, id, template, state, owner, created, deadline, left_seconds, address, ports, reason. */
json_t *json_instance(const struct record *record, const struct status *status);

/* By enum change_kind: one letter, and an object of a word and the path, all bytes visible. */
char change_letter(unsigned kind);
json_t *json_change(unsigned kind, const char *path);

/* The plan with the keys of its template; durations in seconds. */
json_t *json_plan(const struct plan *plan);

/* "stint: ..." on standard error, with nothing in it that could steer the terminal. */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * A table: add cells row by row, then print. Columns are as wide as their widest cell; the last
 * one is cut at the terminal's width (80 when stdout is no terminal). Nothing in a cell steers the
 * terminal.
 */
struct table {
	char **cells;
	size_t columns, n;
};

void table_add(struct table *table, const char *cell);
void table_addf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_print(struct table *table); /* and frees */

/* Opens the site and loads the record of NAME, for its owner only if the caller is restricted. */
int open_named(const struct caller *caller, const char *name, struct site *ret_site,
	       struct record **ret_record, struct error *err);

/* The same for what needs a keeper: of what has ended and is kept, ERROR_REFUSED says so. */
int open_running(const struct caller *caller, const char *name, struct site *ret_site,
		 struct record **ret_record, struct error *err);

/* ERROR_REFUSED, with what can be done with it, for one that has ended and is kept. */
int check_not_kept(const struct record *record, struct error *err);

/* The plan that it was started with. */
int plan_of_record(const struct record *record, struct plan **ret_plan, struct error *err);

#endif
