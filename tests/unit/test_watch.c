/* SPDX-License-Identifier: Apache-2.0 */
/* netns/watch: the loss of the firewall's table is noticed, and what others do with theirs is not.
 */
#include "net_rig.h"
#include "netns/watch.h"

#include <poll.h>
#include <sched.h>
#include <unistd.h>

#define TABLE "stint-test"

/* True when the command made the descriptor readable and it tells of a loss. */
static bool tells(int fd, const char *command)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};

	net_shell(command);
	must(poll(&polled, 1, 5000) == 1);
	return netns_watch_take(fd, TABLE);
}

static void watch(const void *arg)
{
	struct error err = {0};
	int fd = netns_watch_open(&err);

	(void)arg;
	must(fd >= 0);
	must(!netns_watch_has_table(TABLE));
	must(!tells(fd, "nft add table inet " TABLE));
	must(netns_watch_has_table(TABLE));
	must(!tells(fd, "nft 'add table inet " TABLE "2; add table ip other'"));
	must(!tells(fd, "nft 'delete table inet " TABLE "2; delete table ip other'"));
	must(tells(fd, "nft delete table inet " TABLE));
	must(!netns_watch_has_table(TABLE));
	must(!tells(fd, "nft 'add table ip other; add table inet " TABLE "; add chain inet " TABLE
			" c; add set inet " TABLE " s { type ipv4_addr; }'"));
	must(tells(fd, "nft flush ruleset"));
	must(!netns_watch_take(fd, TABLE)); /* once */
	close(fd);
}

static void netns_watch_take_tells_of_the_loss_of_a_table(void **state)
{
	(void)state;
	need_root();
	run_in_child(CLONE_NEWNET, watch, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(netns_watch_take_tells_of_the_loss_of_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
