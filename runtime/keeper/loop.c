/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop; see loop.h. In keeper, forwarder and init. */
#include "keeper/loop.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>

#define BATCH 64

int loop_init(struct loop *loop)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return -errno;
	*loop = (struct loop){.epoll = fd};
	return 0;
}

static void free_removed(struct loop *loop)
{
	while (loop->removed) {
		struct source *source = loop->removed;

		loop->removed = source->next_removed;
		free(source);
	}
}

void loop_deinit(struct loop *loop)
{
	free_removed(loop);
	cleanup_close(&loop->epoll);
}

static int control(struct loop *loop, struct source *source, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	return epoll_ctl(loop->epoll, operation, source->fd, &event) < 0 ? -errno : 0;
}

int loop_change(struct loop *loop, struct source *source, uint32_t events)
{
	int operation = EPOLL_CTL_MOD;
	int r;

	if (events == source->events)
		return 0;
	if (events == 0)
		operation = EPOLL_CTL_DEL;
	else if (source->events == 0)
		operation = EPOLL_CTL_ADD;
	r = control(loop, source, operation, events);
	if (r == 0)
		source->events = events;
	return r;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_handler *handler, void *arg,
	     struct source **ret_source)
{
	struct source *source = xcalloc(1, sizeof(*source));
	int r;

	*source = (struct source){.fd = fd, .handler = handler, .arg = arg};
	r = loop_change(loop, source, events);
	if (r < 0)
		free(source);
	else
		*ret_source = source;
	return r;
}

void loop_remove(struct loop *loop, struct source *source)
{
	if (!source)
		return;
	(void)loop_change(loop, source, 0);
	source->handler = NULL;
	source->next_removed = loop->removed;
	loop->removed = source;
}

void loop_close(struct loop *loop, struct source **source)
{
	int fd = *source ? (*source)->fd : -1;

	loop_remove(loop, *source);
	cleanup_close(&fd);
	*source = NULL;
}

int loop_run_once(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(loop->epoll, events, BATCH, timeout_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		struct source *source = events[i].data.ptr;

		/* a handler before it in this batch may have muted or removed it */
		if (source->handler && source->events)
			source->handler(source->arg, events[i].events);
	}
	free_removed(loop);
	return n;
}
