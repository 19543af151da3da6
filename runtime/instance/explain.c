/* SPDX-License-Identifier: Apache-2.0 */
/* Answers for denied system calls, and counts them; see explain.h. In "stint doctor". */
#include "instance/explain.h"
#include "base/cleanup.h"
#include "base/socket.h"
#include "base/text.h"
#include "confine/confine.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#define FILTER_SIZE_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))

struct explaining {
	int socket, listener;
	struct filter filter;
	struct denied_calls *calls;
};

static void count(struct denied_calls *calls, const struct seccomp_data *data, int errnum)
{
	cleanup_text struct text what = {0};

	filter_explain(data, &what);
	for (size_t i = 0; i < calls->n; i++)
		if (calls->list[i].errnum == errnum &&
		    strcmp(calls->list[i].what, what.data) == 0) {
			calls->list[i].count++;
			return;
		}
	if (calls->n == DENIED_CALLS_MAX) {
		calls->others++;
		return;
	}
	calls->list = xrealloc(calls->list, calls->n + 1, sizeof(*calls->list));
	calls->list[calls->n++] = (struct denied_call){
		.what = text_take(&what), .why = filter_reason(data), .errnum = errnum, .count = 1};
}

/* The filter's bytes and the listener; 0 when the command was not started. */
static int take_over(struct explaining *e, struct error *err)
{
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	ssize_t n;

	e->filter.program = xcalloc(1, FILTER_SIZE_MAX);
	n = socket_receive(e->socket, e->filter.program, FILTER_SIZE_MAX, fds, &n_fds);
	if (n <= 0)
		return n == 0 ? 0 : error_set(err, (int)-n, "cannot learn what is denied");
	e->filter.size = (size_t)n;
	e->listener = n_fds > 0 ? fds[0] : -1;
	for (size_t i = 1; i < n_fds; i++)
		close(fds[i]);
	return 1;
}

/* A caller that was killed meanwhile needs no answer. */
static void answer_one(const struct explaining *e)
{
	struct seccomp_notif call = {0};
	struct seccomp_notif_resp answer = {0};
	uint32_t decision;
	int errnum;

	if (ioctl(e->listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return;
	decision = filter_decide(&e->filter, &call.data);
	errnum = (decision & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO
			 ? (int)(decision & SECCOMP_RET_DATA)
			 : EPERM;
	answer.id = call.id;
	answer.error = -errnum;
	ioctl(e->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	count(e->calls, &call.data, errnum);
}

static void answer_all(const struct explaining *e)
{
	for (;;) {
		struct pollfd polled[] = {
			{.fd = e->listener, .events = POLLIN},
			{.fd = e->socket, .events = POLLIN},
		};

		if (poll(polled, ARRAY_SIZE(polled), -1) < 0)
			continue;
		if (polled[0].revents & POLLIN)
			answer_one(e);
		else if (polled[0].revents || polled[1].revents)
			return;
	}
}

int explain_calls(int socket, struct denied_calls *ret_calls, struct error *err)
{
	struct denied_calls calls = {0};
	struct explaining e = {.socket = socket, .listener = -1, .calls = &calls};
	int r = take_over(&e, err);

	calls.heard = r > 0;
	if (e.listener >= 0)
		answer_all(&e);
	cleanup_close(&e.listener);
	filter_deinit(&e.filter);
	if (r < 0)
		return r;
	*ret_calls = calls;
	return 0;
}

void denied_calls_deinit(struct denied_calls *calls)
{
	for (size_t i = 0; i < calls->n; i++)
		free(calls->list[i].what);
	free(calls->list);
	*calls = (struct denied_calls){0};
}
