/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/events and runtime/instance/events: the file of events, in and out. */
#include "world.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "instance/events.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct seen {
	size_t n;
	struct event last;
	char last_detail[256];
	bool all_known;
};

static void take(const struct log_record *record, void *data)
{
	struct seen *seen = data;

	seen->n++;
	if (!event_parse(record, &seen->last)) {
		seen->all_known = false;
		return;
	}
	snprintf(seen->last_detail, sizeof(seen->last_detail), "%.*s",
		 (int)seen->last.detail_length, seen->last.detail);
}

static struct seen read_all(const struct world *w)
{
	struct site site = {.run = w->dir, .state = -1};
	struct seen seen = {.all_known = true};
	struct log_reader reader;

	assert_int_equal(events_open(&site, &reader), 0);
	assert_int_equal(log_read(&reader, take, &seen), 0);
	log_close(&reader);
	return seen;
}

static void event_add_is_read_again(void **state)
{
	struct world *w = *state;
	struct seen seen = read_all(w);
	struct stat st;

	assert_int_equal(seen.n, 0);
	event_add(w->dir, EVENTS_FILE_NAME, "a1b2c3d4", "ended", "out of memory\nended by nobody");
	seen = read_all(w);
	assert_int_equal(seen.n, 1);
	assert_true(seen.all_known);
	assert_string_equal(seen.last.id, "a1b2c3d4");
	assert_string_equal(seen.last.kind, "ended");
	assert_string_equal(seen.last_detail, "out of memory");
	event_add(w->dir, EVENTS_FILE_NAME, EVENT_NO_ID, "zone-removed", "");
	seen = read_all(w);
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.last.id, "");
	assert_string_equal(seen.last_detail, "");
	assert_int_equal(fstatat(w->dir, EVENTS_FILE_NAME, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* A keeper stands in its instance's directory. */
static void event_add_from_an_instance(void **state)
{
	struct world *w = *state;
	cleanup_fd int run = -1;

	world_directory(w, "i/a1b2c3d4", 0700);
	run = openat(w->dir, "i/a1b2c3d4", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	event_add(run, EVENTS_FROM_INSTANCE, "a1b2c3d4", "ready", "1s");
	assert_int_equal(read_all(w).n, 1);
}

static void events_are_bounded_from_the_front(void **state)
{
	struct world *w = *state;
	char detail[160] = {0};
	struct seen seen;
	struct stat st;

	memset(detail, 'x', sizeof(detail) - 1);
	for (int i = 0; i < 10000; i++)
		event_add(w->dir, EVENTS_FILE_NAME, "a1b2c3d4", "warned", detail);
	event_add(w->dir, EVENTS_FILE_NAME, "a1b2c3d4", "ended", "last");
	assert_int_equal(fstatat(w->dir, EVENTS_FILE_NAME, &st, 0), 0);
	assert_true(st.st_blocks * 512 <= EVENTS_BYTES_MAX + 65536);
	seen = read_all(w);
	assert_true(seen.all_known);
	assert_true(seen.n > EVENTS_BYTES_MAX / 2 / 200 && seen.n < 10000);
	assert_string_equal(seen.last_detail, "last");
}

static void write_many(const void *arg)
{
	const struct world *w = arg;

	for (int i = 0; i < 5000; i++)
		event_add(w->dir, EVENTS_FILE_NAME, "a1b2c3d4", "warned",
			  "something that takes its place, and is not mixed with another line");
}

static void events_of_several_writers_are_whole(void **state)
{
	struct world *w = *state;
	pid_t writers[4];
	struct seen seen;

	for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
		writers[i] = start_child(write_many, w);
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
		assert_int_equal(wait_status(writers[i]), 0);
	seen = read_all(w);
	assert_true(seen.all_known);
	assert_true(seen.n > 1000);
	assert_string_equal(seen.last.kind, "warned");
}

static void event_parse_of_nonsense(void **state)
{
	static const char *const words[] = {"",
					    " ",
					    "a1b2c3d4",
					    "a1b2c3d4 ",
					    "a1b2c3d45 ready",
					    " ready",
					    "a1b2c3d4 averyveryverylongkindofevent x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const struct log_record record = {.text = words[i], .length = strlen(words[i])};
		struct event event;

		assert_false(event_parse(&record, &event));
	}
}

static struct event event_of(const char *text)
{
	const struct log_record record = {.text = text, .length = strlen(text)};
	struct event event;

	assert_true(event_parse(&record, &event));
	return event;
}

static void event_parse_created_has_the_subject(void **state)
{
	static const char *const others[] = {"a1b2c3d4 ready web 1000 hello", "- created web 1 h",
					     "a1b2c3d4 created web", "a1b2c3d4 created web x h",
					     "a1b2c3d4 created"};
	struct event event = event_of("a1b2c3d4 created web 1000 hello");
	struct event_subject subject;

	(void)state;
	assert_true(event_parse_created(&event, &subject));
	assert_string_equal(subject.id, "a1b2c3d4");
	assert_string_equal(subject.name, "web");
	assert_int_equal(subject.owner, 1000);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		event = event_of(others[i]);
		assert_false(event_parse_created(&event, &subject));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(event_add_is_read_again),
		with_world(event_add_from_an_instance),
		with_world(events_are_bounded_from_the_front),
		with_world(events_of_several_writers_are_whole),
		cmocka_unit_test(event_parse_of_nonsense),
		cmocka_unit_test(event_parse_created_has_the_subject),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
