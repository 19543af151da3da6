/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/queue: who is served when, what is left of whom, and who is woken. */
#include "world.h"
#include "instance/queue.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>

#define ALICE 1000
#define BOB 1001

static struct site site_of(const struct world *world)
{
	return (struct site){.run = file_open_directory(AT_FDCWD, world->path),
			     .run_path = (char *)world->path,
			     .state = -1};
}

static struct ticket enter(const struct site *site, uid_t owner)
{
	struct ticket ticket;
	struct error err;

	assert_succeeds(queue_enter(site, owner, &ticket, &err), &err);
	return ticket;
}

static unsigned ahead_of(const struct site *site, const struct ticket *ticket)
{
	struct error err;
	unsigned ahead;

	assert_succeeds(queue_look(site, ticket, &ahead, &err), &err);
	return ahead;
}

static void queue_serves_in_order_of_arrival(void **state)
{
	struct site site = site_of(*state);
	struct ticket tickets[5];

	for (unsigned i = 0; i < 5; i++) {
		tickets[i] = enter(&site, ALICE + i);
		assert_int_equal(ahead_of(&site, &tickets[i]), i);
	}
	queue_leave(&tickets[2]);
	assert_int_equal(ahead_of(&site, &tickets[4]), 3);
	queue_leave(&tickets[0]);
	assert_int_equal(ahead_of(&site, &tickets[1]), 0);
	queue_leave(&tickets[0]);
	queue_leave(&tickets[1]);
	assert_int_equal(ahead_of(&site, &tickets[3]), 0);
	assert_int_equal(ahead_of(&site, &tickets[4]), 1);
	queue_leave(&tickets[3]);
	queue_leave(&tickets[4]);
	close(site.run);
}

static void queue_forgets_who_was_killed(void **state)
{
	struct world *world = *state;
	cleanup_free char *path = world_path(world, "queue/0000000001");
	struct site site = site_of(world);
	struct ticket killed = enter(&site, ALICE), second = enter(&site, BOB);

	assert_int_equal(ahead_of(&site, &second), 1);
	/* what a process does that ends anyhow */
	cleanup_close(&killed.fd);
	assert_true(file_is_readable(second.watch));
	assert_int_equal(ahead_of(&site, &second), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	queue_leave(&killed);
	queue_leave(&second);
	close(site.run);
}

/* His own quota is nobody else's matter, and his own instances come in order all the same. */
static void queue_lets_others_pass_who_waits_for_his_own(void **state)
{
	struct site site = site_of(*state);
	struct ticket first = enter(&site, ALICE), second = enter(&site, ALICE);
	struct ticket bob = enter(&site, BOB);

	queue_note(&first, ROOM_OF_OWNER);
	assert_int_equal(ahead_of(&site, &second), 1);
	assert_int_equal(ahead_of(&site, &bob), 0);
	queue_note(&first, ROOM_OF_HOST);
	assert_int_equal(ahead_of(&site, &bob), 2);
	queue_note(&first, ROOM_OF_OWNER);
	queue_leave(&first);
	/* has not been tried: it may want what bob wants */
	assert_int_equal(ahead_of(&site, &bob), 1);
	queue_leave(&second);
	queue_leave(&bob);
	close(site.run);
}

static void drain(int watch)
{
	char events[4096];

	while (read(watch, events, sizeof(events)) > 0)
		;
}

static void queue_wakes_for_a_turn_and_for_an_end(void **state)
{
	struct world *world = *state;
	struct site site = site_of(world);
	struct ticket first = enter(&site, ALICE), second = enter(&site, BOB);

	drain(first.watch);
	drain(second.watch);
	assert_false(file_is_readable(second.watch));
	queue_watch_ends(&site, &first);
	world_file(world, "events", "x", 0600);
	assert_true(file_is_readable(first.watch));
	assert_false(file_is_readable(second.watch));
	queue_note(&first, ROOM_OF_OWNER);
	assert_true(file_is_readable(second.watch));
	drain(second.watch);
	queue_leave(&first);
	assert_true(file_is_readable(second.watch));
	queue_leave(&second);
	close(site.run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(queue_serves_in_order_of_arrival),
		with_world(queue_forgets_who_was_killed),
		with_world(queue_lets_others_pass_who_waits_for_his_own),
		with_world(queue_wakes_for_a_turn_and_for_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
