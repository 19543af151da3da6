/* SPDX-License-Identifier: Apache-2.0 */
/* The status file; see status.h. Written by the keeper, read by commands. */
#include "keeper/status.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STATUS_VERSION 2
#define STATUS_SIZE_MAX 4096

static const char *const state_names[] = {
	[STATE_CREATING] = "creating", [STATE_STARTING] = "starting", [STATE_READY] = "ready",
	[STATE_STOPPING] = "stopping", [STATE_ENDED] = "ended",	      [STATE_LOST] = "lost",
	[STATE_FROZEN] = "frozen",     [STATE_KEPT] = "kept",	      [STATE_STUCK] = "stuck",
	[STATE_SPARE] = "spare",
};

const char *instance_state_name(enum instance_state state)
{
	return (size_t)state < ARRAY_SIZE(state_names) ? state_names[state] : "unknown";
}

int status_write(int rundir, const struct status *s)
{
	cleanup_free char *text = xasprintf(
		"%d %d %" PRId64 " %" PRId64 " %" PRIu32 " %d %d %" PRId64 " %" PRId64 " %d\n%s\n",
		STATUS_VERSION, s->state, s->started_ns, s->ready_ns, s->restarts, s->exit_status,
		s->exit_signal, s->warned_ns, s->frozen_until_ns, s->failed, s->reason);

	return file_replace(rundir, STATUS_FILE_NAME, text, 0600);
}

/* Version 1 ends after the signal: a keeper of the program before may still write it. */
int status_parse(const char *text, struct status *ret_status)
{
	struct status s = {0};
	int version, state, used = 0, more = 0, failed = 0;

	if (sscanf(text, "%d %d %" SCNd64 " %" SCNd64 " %" SCNu32 " %d %d%n", &version, &state,
		   &s.started_ns, &s.ready_ns, &s.restarts, &s.exit_status, &s.exit_signal,
		   &used) != 7 ||
	    version < 1 || version > STATUS_VERSION)
		return -EBADMSG;
	if (version > 1 && sscanf(text + used, " %" SCNd64 " %" SCNd64 " %d%n", &s.warned_ns,
				  &s.frozen_until_ns, &failed, &more) != 3)
		return -EBADMSG;
	text += used + more;
	if (*text++ != '\n')
		return -EBADMSG;
	s.state = (enum instance_state)state;
	s.failed = failed;
	text_cutf(s.reason, sizeof(s.reason), "%.*s", (int)strcspn(text, "\n"), text);
	*ret_status = s;
	return 0;
}

int status_read(int rundir, struct status *ret_status)
{
	return status_read_at(rundir, STATUS_FILE_NAME, ret_status);
}

int status_read_at(int dirfd, const char *path, struct status *ret_status)
{
	cleanup_free char *text = NULL;
	int r = file_read(dirfd, path, STATUS_SIZE_MAX, &text, NULL);

	return r < 0 ? r : status_parse(text, ret_status);
}
