/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors from a keeper; see reach.h. In commands. */
#include "instance/reach.h"
#include "base/cleanup.h"
#include "base/socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#define KEEPER_BOUND_S 10

static int ask(int keeper, enum control_verb verb, enum control_verb expected, int *fds,
	       size_t *n_fds, struct error *err)
{
	cleanup_packet struct control_packet answer = {0};
	struct control_packet question = {.verb = verb};
	struct timeval bound = {.tv_sec = KEEPER_BOUND_S};
	int r;

	setsockopt(keeper, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
	r = control_send(keeper, &question, NULL, 0);
	if (r == 0)
		r = control_receive(keeper, &answer, fds, n_fds);
	if (r <= 0)
		return error_set(err, r ? -r : ECONNRESET, "the instance's keeper does not answer");
	if (answer.verb == CONTROL_FAILED) {
		*err = answer.error;
		return err->code;
	}
	if (answer.verb != expected || *n_fds != 1)
		return error_say(err, ERROR_FAILED, "the instance's keeper answers nonsense");
	return 0;
}

int reach_open(const struct site *site, const char *id, enum control_verb question,
	       enum control_verb answer, struct error *err)
{
	cleanup_fd int keeper = instance_connect(site, id, err);
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	int r = keeper < 0 ? keeper : ask(keeper, question, answer, fds, &n_fds, err);

	for (size_t i = r == 0 ? 1 : 0; i < n_fds; i++)
		close(fds[i]);
	return r < 0 ? r : fds[0];
}
