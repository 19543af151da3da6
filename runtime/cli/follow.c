/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for more of a file; see follow.h. */
#include "cli/follow.h"
#include "base/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>

int follow_watch(const struct log_reader *reader, struct error *err)
{
	cleanup_fd int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", reader->fd);
	if (notify < 0 ||
	    inotify_add_watch(notify, path, IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF) < 0)
		return error_set(err, errno, "cannot watch the log");
	return steal_fd(&notify);
}

bool follow_wait(int watch)
{
	struct pollfd polled[] = {{.fd = watch, .events = POLLIN}, {.fd = STDOUT_FILENO}};
	char events[4096];

	if (poll(polled, ARRAY_SIZE(polled), -1) < 0)
		return errno == EINTR;
	while (read(watch, events, sizeof(events)) > 0)
		;
	return !(polled[1].revents & (POLLERR | POLLHUP));
}
