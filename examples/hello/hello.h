/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello: a small server with the shape of an integration server, for a first try of stint and for
 * its tests. It answers health checks, runs flows that are deployed into it, and writes its log
 * and state below its own install directory, wherever that is: home is the parent of the
 * directory that holds the executable.
 *
 * It starts slowly, never, or dies on request (see settings.c), since that is what a tool that
 * starts servers must cope with.
 *
 * hello.c is its life, routes.c what can be asked for, state.c what it keeps.
 */
#ifndef HELLO_HELLO_H
#define HELLO_HELLO_H

#include "http.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define UNSET (-1.0)

enum setting {
	PORT,
	START_SECONDS,
	BIND_EARLY,
	NEVER_READY,
	EXIT_AFTER,
	EXIT_STATUS,
	IGNORE_TERM,
	N_SETTINGS,
};

struct hello {
	double setting[N_SETTINGS];
	struct http *http;
	int home; /* the install directory */
	FILE *log;
	char home_path[PATH_MAX];
	char hostname[HOST_NAME_MAX + 1];
	char uuid[40];
	double started; /* seconds on the monotonic clock, as all times here */
	double save_at; /* UNSET: the counter on disk is right */
	unsigned long long requests;
	bool listening, ready, stopping;
	int signals, exit_status;
};

/* Where not said otherwise: 0, or -1 after a line on standard error. */

/* From the defaults, config/server.cnf, the environment and options: the last one wins. */
int settings_read(struct hello *hello, char **argv);
void settings_usage(FILE *out);

int home_open(struct hello *hello);
int log_open(struct hello *hello);
/* Loads, and at the first start makes, the identity of this copy of the install. */
int uuid_load(struct hello *hello);
void requests_load(struct hello *hello);
void requests_save(struct hello *hello);

/* The http_handler of hello; context is the struct hello. */
void routes_handle(void *context, const struct http_request *request,
		   struct http_response *response);

/* Seconds on the monotonic clock. */
double now(void);
/* The time of day in UTC, by strftime's notation. */
void utc_now(char *buffer, size_t size, const char *format);
/* One line to standard output and to logs/server.log. */
void say(struct hello *hello, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What failed, in one line on standard error; returns -1. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
