/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readiness by asking: HTTP requests or TCP connections to ports of the instance, one at a time,
 * until one succeeds. Of several checks the first that the server has counts: what it answers that
 * it does not have, or not for us (401, 403, 404, 405, 501), makes way for the next. In the
 * forwarder; what answers is hostile.
 */
#ifndef KEEPER_PROBE_H
#define KEEPER_PROBE_H

#include "base/text.h"
#include "keeper/dial.h"
#include "keeper/loop.h"
#include "keeper/tried.h"
#include "plan/plan.h"

#include <stdbool.h>

#define PROBE_NEVER INT64_MAX
#define PROBE_HEAD_SIZE 16

struct probe_check {
	const struct plan_check *plan;
	struct dial_target target;
	struct text request; /* empty: connecting is enough */
};

struct probe {
	struct loop *loop;
	const struct plan_ready *ready;
	struct probe_check checks[PLAN_CHECKS_MAX];
	size_t n_checks;
	struct probe_check *check; /* of this attempt */
	struct source *source;	   /* the attempt under way */
	bool active, succeeded;
	bool asked;		    /* of this attempt: the request was sent */
	bool looking;		    /* it is one to 127.0.0.1, after a refusal */
	char head[PROBE_HEAD_SIZE]; /* of this attempt's answer */
	size_t head_length;
	int64_t begun_at, next_at, give_up_at;
	struct tried tried; /* what became of the last attempt that failed, since the beginning */
	bool news;
};

/* ready must live as long as the probe; only its timing is used. */
void probe_init(struct probe *probe, struct loop *loop, const struct plan_ready *ready);
/*
 * One more way to ask, to be tried after those before; it must live as long as the probe. With
 * proxy, a request follows upon a header of proxy.h.
 */
void probe_add(struct probe *probe, const struct plan_check *check, uint32_t address, bool proxy);
void probe_deinit(struct probe *probe);

/* Starts asking, from the beginning when it was asking already. now is CLOCK_BOOTTIME. */
void probe_begin(struct probe *probe, int64_t now);
void probe_stop(struct probe *probe);

/*
 * To be called after each round of the loop; returns when it is due again at the latest, or
 * PROBE_NEVER. The gap from one attempt to the next is a 32nd of the time since the beginning,
 * from 10 ms up to the interval, so that a fast server is not kept waiting; an attempt is given up
 * after the interval or 1 s, whichever is longer. Once an attempt succeeded, succeeded is set and
 * nothing more is asked. While the address refuses connections, 127.0.0.1 is looked at too, until
 * it was once found to accept one.
 */
int64_t probe_step(struct probe *probe, int64_t now);

/* Whether something else came of an attempt, in tried, than when this was called before. */
bool probe_has_news(struct probe *probe);

/*
 * The status code of an answer that begins with data (RFC 9112, section 4), 0 when that much of it
 * does not tell yet, or -EBADMSG when it is no HTTP/1 answer. Needs at most PROBE_HEAD_SIZE bytes.
 */
int http_status_parse(const char *data, size_t length);

/*
 * The next piece of what was answered to this attempt, at least one byte: 1 when the status is a
 * good one, 0 when it is not known yet, -ENOENT when the server does not have what was asked for,
 * -EBADMSG or -EPROTO when the attempt failed.
 */
int probe_take_answer(struct probe *probe, const char *data, size_t length);

#endif
