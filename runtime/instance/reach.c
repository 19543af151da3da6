/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors from a keeper; see reach.h. In commands. */
#include "instance/reach.h"
#include "base/cleanup.h"
#include "base/socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#define KEEPER_BOUND_MS 10000
#define FAVOUR_BOUND_MS 50
#define KEEPERS_ASKED 3

struct whom {
	const struct site *site;
	const char *id;
	int bound_ms;
};

static int exchange_once(int keeper, const struct control_packet *question, int bound_ms,
			 struct control_packet *ret_answer, int *fds, size_t *n_fds)
{
	const struct timeval bound = {.tv_sec = bound_ms / 1000,
				      .tv_usec = bound_ms % 1000 * 1000L};
	int r;

	setsockopt(keeper, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
	r = control_send(keeper, question, NULL, 0);
	if (r == 0)
		r = control_receive(keeper, ret_answer, fds, n_fds);
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

/* One question, one answer, both bounded: of the keeper, or of one that has just succeeded it. */
static int exchange(const struct whom *whom, const struct control_packet *question,
		    enum control_verb expected, int *fds, size_t *n_fds, struct error *err)
{
	cleanup_packet struct control_packet answer = {0};
	int r = 0;

	for (int i = 0; i < KEEPERS_ASKED && r == 0; i++) {
		cleanup_fd int keeper = instance_connect(whom->site, whom->id, err);

		if (keeper < 0)
			return keeper;
		r = exchange_once(keeper, question, whom->bound_ms, &answer, fds, n_fds);
	}
	/* one before these answers closes the connection */
	if (r == -EPROTO || r == 0)
		return error_say(err, ERROR_REFUSED,
				 "the instance was started by another version of stint, whose "
				 "keeper cannot do that; 'stint down' ends it");
	if (r == -EAGAIN)
		return error_say(err, ERROR_FAILED,
				 "the instance's keeper does not answer; one that an older stint "
				 "started cannot do everything");
	if (r < 0)
		return error_set(err, -r, "the instance's keeper does not answer");
	if (answer.verb == CONTROL_FAILED) {
		*err = answer.error;
		return err->code;
	}
	if (answer.verb != expected)
		return error_say(err, ERROR_FAILED, "the instance's keeper answers nonsense");
	return 0;
}

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

/* As many as fit into a packet at a time; also those of no ports are asked for, once. */
int reach_listeners(const struct site *site, const char *id, int *ret_fds, size_t n,
		    struct error *err)
{
	const struct whom whom = {site, id, KEEPER_BOUND_MS};
	size_t have = 0, n_fds = 0;
	int r;

	do {
		struct control_packet question = {.verb = CONTROL_LISTENERS,
						  .number = (int64_t)have};
		int fds[SOCKET_FDS_MAX];

		n_fds = 0;
		r = exchange(&whom, &question, CONTROL_LISTENERS_ARE, fds, &n_fds, err);
		if (r == 0 && (n_fds > n - have || (n_fds == 0 && have < n)))
			r = error_say(err, ERROR_FAILED,
				      "its keeper has another number of published ports than %zu",
				      n);
		if (r < 0)
			close_all(fds, n_fds);
		for (size_t i = 0; r == 0 && i < n_fds; i++)
			ret_fds[have++] = fds[i];
	} while (r == 0 && have < n);
	if (r < 0)
		close_all(ret_fds, have);
	return r;
}

int reach_tell_within(const struct site *site, const char *id, const struct control_packet *packet,
		      int bound_ms, struct error *err)
{
	const struct whom whom = {site, id, bound_ms};
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	int r = exchange(&whom, packet, CONTROL_OK, fds, &n_fds, err);

	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	return r;
}

int reach_open_within(const struct site *site, const char *id, enum control_verb question,
		      enum control_verb answer, int bound_ms, struct error *err)
{
	const struct whom whom = {site, id, bound_ms};
	const struct control_packet packet = {.verb = question};
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	int r = exchange(&whom, &packet, answer, fds, &n_fds, err);

	if (r == 0 && n_fds != 1)
		r = error_say(err, ERROR_FAILED, "the instance's keeper answers nonsense");
	for (size_t i = r == 0 ? 1 : 0; i < n_fds; i++)
		close(fds[i]);
	return r < 0 ? r : fds[0];
}

int reach_tell(const struct site *site, const char *id, const struct control_packet *packet,
	       struct error *err)
{
	return reach_tell_within(site, id, packet, KEEPER_BOUND_MS, err);
}

int reach_open(const struct site *site, const char *id, enum control_verb question,
	       enum control_verb answer, struct error *err)
{
	return reach_open_within(site, id, question, answer, KEEPER_BOUND_MS, err);
}

/* What nobody depends on, of somebody else's keeper, is not waited for. */
int reach_empty(const struct site *site, const char *id)
{
	struct error err;

	return reach_open_within(site, id, CONTROL_EMPTY, CONTROL_EMPTY_IS, FAVOUR_BOUND_MS, &err);
}

int reach_guard(const struct site *site, const char *id)
{
	const struct control_packet packet = {.verb = CONTROL_GUARD};
	struct error err;

	return reach_tell_within(site, id, &packet, FAVOUR_BOUND_MS, &err);
}
