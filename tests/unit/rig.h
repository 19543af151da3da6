/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A forwarder in a child process with everything that a keeper gives it, on the loopback
 * interface: the test plays keeper, server and clients. Functions fail the test by cmocka.
 */
#ifndef UNIT_RIG_H
#define UNIT_RIG_H

#include "keeper/forwarder.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#define RIG_BOUND_MS 20000 /* no test waits longer for an event */

struct rig {
	struct forwarder config; /* change it before rig_start() */
	rlim_t descriptors;	 /* limit for the child, 0: as it is */
	pid_t child;
	int pidfd;
	int channel;	  /* the keeper's end */
	int out, errs;	  /* the server's ends */
	int log;	  /* for reading */
	int server;	  /* listens where published connections lead, and answers probes */
	int inherited[5]; /* the child's ends, until it has them */
};

/* cmocka fixtures: *state becomes a rig that is ready to start, with READY_NONE and hold. */
int rig_setup(void **state);
int rig_teardown(void **state);

void rig_start(struct rig *rig);
void rig_say(const struct rig *rig, enum forwarder_verb verb);
void rig_say_drain(const struct rig *rig, uint32_t idle_ms);
void rig_say_started(const struct rig *rig, uint32_t serial);
/* READY is the next word but for TRIED. */
void rig_expect_ready(const struct rig *rig, uint32_t serial);
void rig_expect_tried(const struct rig *rig, uint32_t serial, uint32_t outcome, uint32_t detail);
/* DRAINED is the next word. */
void rig_expect_drained(const struct rig *rig);
/* Nothing was said up to now. */
void rig_expect_silence(const struct rig *rig);
/* Starts, says that the server has, and waits for READY. */
void rig_start_open(struct rig *rig);
/* Says FINISH and returns the exit status. */
int rig_finish(struct rig *rig);
/* Waits for the end without asking for it. */
int rig_wait_exit(struct rig *rig);
double rig_cpu_seconds(const struct rig *rig);
size_t rig_resident_bytes(const struct rig *rig);

/* The published port: the end that the keeper keeps. */
int rig_listener(const struct rig *rig);
/* A blocking connection to the published port, or -1 and errno; reads are bounded in time. */
int rig_connect(const struct rig *rig);
/* The next connection that the server gets. */
int rig_accept(const struct rig *rig);
/* rig_connect() and rig_accept() of the connection that comes of it. */
void rig_join(const struct rig *rig, int *ret_client, int *ret_inside);
/* Stops the server from listening. */
void rig_stop_listening(struct rig *rig);

/* The last MiB of the log so far; the caller frees. */
char *rig_log(const struct rig *rig, size_t *ret_length);
/* Waits until the log contains the words. */
void rig_expect_log(const struct rig *rig, const char *words);
bool rig_log_contains(const struct rig *rig, const char *words);

/* A listening socket on a free port of 127.0.0.1, or a bound one. */
int listen_anywhere(bool listening);
uint16_t port_of(int fd);
void send_all(int fd, const char *text);
void expect_bytes(int fd, const char *text);
void expect_end(int fd);
void expect_reset(int fd);
void wait_for(int fd, short events);
/* Ends with a reset. */
void close_hard(int fd);
bool is_sanitized(void);

#endif
