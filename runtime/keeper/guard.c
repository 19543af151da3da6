/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a keeper does about the firewall while its instance has a link: a few of them (guards.h)
 * listen, and when the table is lost, one has it put back ("stint mend"), which takes links down if
 * that fails. They wait for different times, and look again first, so that most find it done.
 */
#include "keeper/keeper.h"
#include "keeper/guards.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "netns/watch.h"

#include <fcntl.h>
#include <stdlib.h>

#define SPREAD_NS (400 * NSEC_PER_MSEC)
#define AGAIN_NS (1000 * NSEC_PER_MSEC)

/* The id is random. */
static int64_t spread(const struct keeper *keeper)
{
	return (int64_t)(strtoul(keeper->message.id, NULL, 16) % (unsigned long)SPREAD_NS);
}

static bool take_place(struct keeper *keeper)
{
	cleanup_fd int fd = openat(keeper->run, "../../" GUARDS_FILE,
				   O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || !guards_take(fd))
		return false;
	keeper->guard_place = steal_fd(&fd);
	return true;
}

static void listen_for_changes(struct keeper *keeper)
{
	struct error err;

	keeper_raise(NEED_WATCH);
	keeper->guard = netns_watch_open(&err);
	keeper_raise(NEED_NOTHING);
	/* what happened while nobody was listening, or cannot be heard of, is looked at */
	keeper->guard_at_ns = clock_boottime_ns() + spread(keeper);
}

void guard_set(struct keeper *keeper, bool linked)
{
	keeper->linked = linked;
	if (!linked) {
		cleanup_close(&keeper->guard);
		cleanup_close(&keeper->guard_place);
		keeper->guard_at_ns = 0;
	} else if (keeper->guard < 0 && take_place(keeper))
		listen_for_changes(keeper);
}

void guard_take(struct keeper *keeper)
{
	if (netns_watch_take(keeper->guard, keeper->message.table) && !keeper->guard_at_ns)
		keeper->guard_at_ns = clock_boottime_ns() + spread(keeper);
}

static void run_mend(const struct keeper *keeper)
{
	char *argv[] = {(char *)"stint", (char *)"mend", NULL};

	keeper_run_stint(keeper, argv);
}

static bool is_in_place(const struct keeper *keeper)
{
	bool found;

	keeper_raise(NEED_WATCH);
	found = netns_watch_has_table(keeper->message.table);
	keeper_raise(NEED_NOTHING);
	return found;
}

void guard_check(struct keeper *keeper, int64_t now)
{
	if (!keeper->guard_at_ns || now < keeper->guard_at_ns)
		return;
	keeper->guard_at_ns = 0;
	if (keeper->phase > PHASE_STOPPING || is_in_place(keeper))
		return;
	run_mend(keeper);
	keeper->guard_at_ns = now + AGAIN_NS;
}
