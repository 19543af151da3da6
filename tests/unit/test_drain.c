/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/relay and pair: published ports that another instance takes over, or gives. */
#include "rig.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define IDLE_MS 100
#define LONG_MS 3600000
#define OBSERVED_MS 400

static void forwarder_run_leaves_reserved_ports_alone_until_open(void **state)
{
	struct rig *rig = *state;
	struct pollfd nobody;
	int client, inside;

	rig->config.reserved = true;
	rig_start_open(rig);
	client = rig_connect(rig);
	send_all(client, "early");
	nobody = (struct pollfd){.fd = rig->server, .events = POLLIN};
	assert_int_equal(poll(&nobody, 1, OBSERVED_MS), 0);
	rig_say(rig, FORWARDER_OPEN);
	inside = rig_accept(rig);
	expect_bytes(inside, "early");
	close(inside);
	close(client);
	/* and a server that is started again has them too */
	rig_say_started(rig, 2);
	rig_expect_ready(rig, 2);
	rig_join(rig, &client, &inside);
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void relay_drain_tells_at_once_when_nobody_is_connected(void **state)
{
	struct rig *rig = *state;

	rig_start_open(rig);
	rig_say_drain(rig, LONG_MS);
	rig_expect_drained(rig);
	assert_int_equal(rig_finish(rig), 0);
}

static void relay_drain_leaves_new_connections_to_others(void **state)
{
	struct rig *rig = *state;
	int client, other, kept, inside;

	rig_start_open(rig);
	rig_join(rig, &kept, &inside);
	rig_say_drain(rig, LONG_MS);
	/* what is answered after that has been read after that */
	send_all(kept, "x");
	expect_bytes(inside, "x");
	client = rig_connect(rig);
	send_all(client, "for the other one");
	wait_for(rig_listener(rig), POLLIN);
	other = accept(rig_listener(rig), NULL, NULL);
	expect_bytes(other, "for the other one");
	close(other);
	close(client);
	close(kept);
	close(inside);
	rig_expect_drained(rig);
	assert_int_equal(rig_finish(rig), 0);
}

static void pair_set_drain_ends_what_was_answered_and_is_idle(void **state)
{
	struct rig *rig = *state;
	int client, inside;

	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	send_all(client, "question");
	expect_bytes(inside, "question");
	send_all(inside, "answer");
	expect_bytes(client, "answer");
	rig_say_drain(rig, IDLE_MS);
	expect_end(client);
	expect_end(inside);
	rig_expect_drained(rig);
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void pair_set_drain_ends_what_never_said_a_word(void **state)
{
	struct rig *rig = *state;
	int client, inside;

	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	rig_say_drain(rig, IDLE_MS);
	expect_end(client);
	rig_expect_drained(rig);
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void pair_set_drain_lets_who_waits_for_an_answer_have_it(void **state)
{
	struct rig *rig = *state;
	int client, inside;
	struct pollfd polled;

	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	send_all(client, "question");
	expect_bytes(inside, "question");
	rig_say_drain(rig, IDLE_MS);
	polled = (struct pollfd){.fd = client, .events = POLLIN};
	assert_int_equal(poll(&polled, 1, OBSERVED_MS), 0);
	send_all(inside, "answer");
	expect_bytes(client, "answer");
	expect_end(client);
	rig_expect_drained(rig);
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

static void pair_set_drain_may_be_told_to_hurry(void **state)
{
	struct rig *rig = *state;
	int client, inside;

	rig_start_open(rig);
	rig_join(rig, &client, &inside);
	rig_say_drain(rig, LONG_MS);
	send_all(inside, "banner");
	expect_bytes(client, "banner");
	rig_say_drain(rig, IDLE_MS);
	expect_end(client);
	rig_expect_drained(rig);
	close(client);
	close(inside);
	assert_int_equal(rig_finish(rig), 0);
}

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_rig(forwarder_run_leaves_reserved_ports_alone_until_open),
		with_rig(relay_drain_tells_at_once_when_nobody_is_connected),
		with_rig(relay_drain_leaves_new_connections_to_others),
		with_rig(pair_set_drain_ends_what_was_answered_and_is_idle),
		with_rig(pair_set_drain_ends_what_never_said_a_word),
		with_rig(pair_set_drain_lets_who_waits_for_an_answer_have_it),
		with_rig(pair_set_drain_may_be_told_to_hurry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
