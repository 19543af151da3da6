/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status file: what the keeper says of its instance, for commands that only look. It lies in
 * the instance's run directory and is replaced by rename. What ended is told here to whoever
 * undoes the instance.
 */
#ifndef KEEPER_STATUS_H
#define KEEPER_STATUS_H

#include "base/error.h"
#include "keeper/control.h"

#include <stdbool.h>
#include <stdint.h>

#define STATUS_FILE_NAME "status"
#define RESET_FILE_NAME "reset" /* beside it: its time is that of the last reset */

enum instance_state {
	STATE_CREATING,
	STATE_STARTING,
	STATE_READY,
	STATE_STOPPING,
	STATE_ENDED,
	STATE_LOST, /* never written: the record is there and no keeper is */
	STATE_FROZEN,
	STATE_KEPT,  /* as LOST: it has ended, and its files are kept */
	STATE_STUCK, /* written by who could not end it: something in it does not die */
	STATE_SPARE, /* started ahead, ready and frozen */
};

struct status {
	enum instance_state state;
	int64_t started_ns;	 /* boot time of the keeper's start */
	int64_t ready_ns;	 /* boot time, 0: not yet */
	int64_t warned_ns;	 /* boot time of the last warning before the end, 0: none */
	int64_t frozen_until_ns; /* boot time, 0: it is not frozen */
	uint32_t restarts;
	int exit_status; /* of the server; -1 when it did not exit by itself */
	int exit_signal;
	bool failed; /* it did not end because somebody, or its lease, wanted it to */
	char reason[CONTROL_REASON_SIZE];
};

/* "creating", "starting", ... */
const char *instance_state_name(enum instance_state state);

/* 0 or a negative errno; -ENOENT when the keeper has not written any yet. */
int status_write(int rundir, const struct status *status);
int status_read(int rundir, struct status *ret_status);
/* The same of the file at that path below a directory. */
int status_read_at(int dirfd, const char *path, struct status *ret_status);
/* The same of a file's content: 0 or -EBADMSG. */
int status_parse(const char *text, struct status *ret_status);

#endif
