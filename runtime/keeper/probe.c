/* SPDX-License-Identifier: Apache-2.0 */
/* Readiness by asking; see probe.h. */
#include "keeper/probe.h"
#include "keeper/proxy.h"
#include "base/cleanup.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define GAP_MIN_NS (10 * NSEC_PER_MSEC)
#define GAP_SHARE 32 /* of what it took so far: nobody waits 3 % longer than the server needs */
#define GIVE_UP_MIN_NS NSEC_PER_SEC
#define ANSWER_MAX 4096

int http_status_parse(const char *data, size_t length)
{
	static const char shape[] = "HTTP/1.# ###"; /* '#': a digit; then a blank or the end */
	const size_t n = sizeof(shape) - 1;
	int status;

	for (size_t i = 0; i < n && i < length; i++) {
		bool is_digit = data[i] >= '0' && data[i] <= '9';

		if (shape[i] == '#' ? !is_digit : data[i] != shape[i])
			return -EBADMSG;
	}
	if (length <= n)
		return 0;
	status = (data[n - 3] - '0') * 100 + (data[n - 2] - '0') * 10 + (data[n - 1] - '0');
	if (status < 100 || !strchr(" \r\n", data[n]) || data[n] == '\0')
		return -EBADMSG;
	return status;
}

static void add_request(struct text *request, const char *path, const struct dial_target *target)
{
	uint32_t a = target->address;

	text_addf(request,
		  "GET %s HTTP/1.1\r\nHost: %u.%u.%u.%u:%u\r\nUser-Agent: stint\r\n"
		  "Accept: */*\r\nConnection: close\r\n\r\n",
		  path ? path : "/", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255, target->port);
}

void probe_init(struct probe *probe, struct loop *loop, const struct plan_ready *ready)
{
	*probe = (struct probe){.loop = loop, .ready = ready};
	probe->check = probe->checks;
}

void probe_add(struct probe *probe, const struct plan_check *check, uint32_t address, bool proxy)
{
	struct probe_check *added = &probe->checks[probe->n_checks++];
	unsigned char header[PROXY_LOCAL_SIZE];

	*added = (struct probe_check){.plan = check,
				      .target = {.address = address, .port = check->port}};
	if (check->kind != READY_HTTP)
		return;
	if (proxy) {
		proxy_local(header);
		text_add_bytes(&added->request, header, sizeof(header));
	}
	add_request(&added->request, check->path, &added->target);
}

void probe_deinit(struct probe *probe)
{
	probe_stop(probe);
	for (size_t i = 0; i < probe->n_checks; i++)
		text_deinit(&probe->checks[i].request);
}

static void end_attempt(struct probe *probe)
{
	loop_close(probe->loop, &probe->source);
	probe->asked = probe->looking = false;
	probe->head_length = 0;
}

void probe_begin(struct probe *probe, int64_t now)
{
	probe_stop(probe);
	probe->active = true;
	probe->succeeded = false;
	probe->check = probe->checks;
	probe->tried = (struct tried){.outcome = TRIED_NOTHING};
	probe->news = false;
	probe->begun_at = probe->next_at = now;
}

void probe_stop(struct probe *probe)
{
	end_attempt(probe);
	probe->active = false;
}

static void set_tried(struct probe *probe, const struct tried *tried)
{
	if (memcmp(tried, &probe->tried, sizeof(*tried)) == 0)
		return;
	probe->tried = *tried;
	probe->news = true;
}

/* Of the attempt that has just failed that way. */
static void note_failure(struct probe *probe, int r)
{
	int status = probe->asked ? http_status_parse(probe->head, probe->head_length) : 0;
	struct tried tried = {.check = (uint32_t)(probe->check - probe->checks)};

	if (status > 0) {
		tried.outcome = TRIED_STATUS;
		tried.detail = (uint32_t)status;
	} else if (status < 0) {
		tried.outcome = TRIED_NO_HTTP;
	} else if (r == -ECONNREFUSED) {
		/* what is open there was asked once, and that must do */
		tried.outcome =
			probe->tried.check == tried.check && probe->tried.outcome == TRIED_ELSEWHERE
				? TRIED_ELSEWHERE
				: TRIED_REFUSED;
	} else if (r == -ETIMEDOUT) {
		tried.outcome = TRIED_UNANSWERED;
	} else if (probe->asked || r == -ECONNRESET) {
		tried.outcome = TRIED_CLOSED;
	} else {
		tried.outcome = TRIED_ERROR;
		tried.detail = (uint32_t)-r;
	}
	set_tried(probe, &tried);
}

static struct dial_target look_target(const struct probe *probe)
{
	return (struct dial_target){.address = INADDR_LOOPBACK,
				    .port = probe->checks[probe->tried.check].target.port};
}

static void on_look(void *arg, uint32_t events)
{
	struct probe *probe = arg;
	struct dial_target target = look_target(probe);
	struct tried tried = {.outcome = TRIED_ELSEWHERE, .check = probe->tried.check};

	(void)events;
	if (dial_result(probe->source->fd, &target) == 0)
		set_tried(probe, &tried);
	end_attempt(probe);
}

/* After a refusal: whether the server listens on 127.0.0.1 instead. Only for the words. */
static void look_elsewhere(struct probe *probe)
{
	struct dial_target target = look_target(probe);
	cleanup_fd int fd = -1;
	int r;

	if (probe->tried.outcome != TRIED_REFUSED ||
	    probe->checks[probe->tried.check].target.address == INADDR_LOOPBACK)
		return;
	fd = dial_socket();
	r = fd < 0 ? fd : dial_start(fd, &target);
	if (r == 0 || r == -EINPROGRESS)
		r = loop_add(probe->loop, fd, EPOLLOUT, on_look, probe, &probe->source);
	probe->looking = r == 0;
	if (r == 0)
		(void)steal_fd(&fd);
}

static int ask(struct probe *probe)
{
	const struct text *request = &probe->check->request;
	ssize_t n = send(probe->source->fd, request->data, request->length, MSG_NOSIGNAL);

	if (n < 0)
		return -errno;
	/* a fresh connection has room for any request that makes sense */
	if ((size_t)n != request->length)
		return -EMSGSIZE;
	probe->asked = true;
	return loop_change(probe->loop, probe->source, EPOLLIN);
}

/* There is no such thing, or not for somebody without a name. */
static bool is_missing(int status)
{
	static const int missing[] = {401, 403, 404, 405, 501};

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		if (status == missing[i])
			return true;
	return false;
}

static int judge(const struct probe *probe)
{
	const struct plan_check *plan = probe->check->plan;
	int status = http_status_parse(probe->head, probe->head_length);

	if (status <= 0)
		return status;
	if (status >= plan->status_from && status <= plan->status_to)
		return 1;
	return is_missing(status) ? -ENOENT : -EPROTO;
}

int probe_take_answer(struct probe *probe, const char *data, size_t length)
{
	size_t room = sizeof(probe->head) - probe->head_length;

	if (length < room)
		room = length;
	memcpy(probe->head + probe->head_length, data, room);
	probe->head_length += room;
	return judge(probe);
}

/* Takes in more than is looked at: unread bytes would make the close a reset for the server. */
static int hear(struct probe *probe)
{
	char answer[ANSWER_MAX];
	ssize_t n = recv(probe->source->fd, answer, sizeof(answer), 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -EPROTO;
	return probe_take_answer(probe, answer, (size_t)n);
}

/* 1: ready, 0: not known yet, negative: this attempt failed. */
static int advance(struct probe *probe)
{
	int r;

	if (probe->asked)
		return hear(probe);
	r = dial_result(probe->source->fd, &probe->check->target);
	if (r < 0)
		return r;
	return probe->check->request.length > 0 ? ask(probe) : 1;
}

static void on_probe(void *arg, uint32_t events)
{
	struct probe *probe = arg;
	int r = advance(probe);

	if (r == 0 && events & EPOLLERR)
		r = -EIO;
	if (r == 0)
		return;
	if (r < 0)
		note_failure(probe, r);
	end_attempt(probe);
	if (r > 0) {
		probe->succeeded = true;
		probe->active = false;
	} else if (r == -ENOENT && probe->check + 1 < probe->checks + probe->n_checks) {
		probe->check++;
		probe->next_at = 0; /* at once */
	} else {
		probe->check = probe->checks;
		look_elsewhere(probe);
	}
}

static int64_t gap(const struct probe *probe, int64_t now)
{
	int64_t ns = (now - probe->begun_at) / GAP_SHARE;

	if (ns > probe->ready->interval_ns)
		ns = probe->ready->interval_ns;
	return ns > GAP_MIN_NS ? ns : GAP_MIN_NS;
}

/* What cannot even be tried counts as an attempt that failed. */
static void start_attempt(struct probe *probe, int64_t now)
{
	int64_t bound = probe->ready->interval_ns;
	cleanup_fd int fd = dial_socket();
	int r;

	probe->next_at = now + gap(probe, now);
	probe->give_up_at = now + (bound > GIVE_UP_MIN_NS ? bound : GIVE_UP_MIN_NS);
	r = fd < 0 ? fd : dial_start(fd, &probe->check->target);
	if (r == 0 || r == -EINPROGRESS)
		r = loop_add(probe->loop, fd, EPOLLOUT, on_probe, probe, &probe->source);
	if (r == 0) {
		(void)steal_fd(&fd);
		return;
	}
	note_failure(probe, r);
	look_elsewhere(probe);
}

int64_t probe_step(struct probe *probe, int64_t now)
{
	if (!probe->active)
		return PROBE_NEVER;
	if (probe->source && now >= probe->give_up_at) {
		if (!probe->looking)
			note_failure(probe, -ETIMEDOUT);
		end_attempt(probe);
		probe->check = probe->checks;
	}
	if (!probe->source && now >= probe->next_at)
		start_attempt(probe, now);
	return probe->source ? probe->give_up_at : probe->next_at;
}

bool probe_has_news(struct probe *probe)
{
	bool news = probe->news;

	probe->news = false;
	return news;
}
