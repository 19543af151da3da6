/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/keeper/message: every field of the start message arrives, and nothing else passes. */
#include "message_rig.h"
#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 20000

static int decode(const struct text *bytes, struct start_message *ret, struct error *err)
{
	return start_message_decode(bytes->data, bytes->length, ret, err);
}

static struct start_message there_and_back(const struct start_message *message)
{
	cleanup_text struct text bytes = {0};
	struct start_message again;
	struct error err;

	start_message_encode(message, &bytes);
	assert_int_equal(decode(&bytes, &again, &err), 0);
	return again;
}

static void assert_words(char *const *a, char *const *b)
{
	assert_int_equal(strv_length(a), strv_length(b));
	for (size_t i = 0; a && a[i]; i++)
		assert_string_equal(a[i], b[i]);
}

static void assert_same_ready(const struct plan_ready *a, const struct plan_ready *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->n_checks, b->n_checks);
	for (size_t i = 0; i < a->n_checks; i++) {
		assert_int_equal(a->checks[i].kind, b->checks[i].kind);
		assert_int_equal(a->checks[i].port, b->checks[i].port);
		assert_int_equal(a->checks[i].status_from, b->checks[i].status_from);
		assert_int_equal(a->checks[i].status_to, b->checks[i].status_to);
	}
	assert_string_equal(a->checks[0].path, b->checks[0].path);
	assert_null(a->checks[1].path);
	assert_string_equal(a->pattern, b->pattern);
	assert_words(a->command, b->command);
	assert_true(a->timeout_ns == b->timeout_ns && a->interval_ns == b->interval_ns);
}

static void assert_same_server(const struct start_message *a, const struct start_message *b)
{
	assert_memory_equal(a->hooks_ns, b->hooks_ns, sizeof(a->hooks_ns));
	assert_true(a->grace_ns == b->grace_ns);
	assert_int_equal(a->stop_signal, b->stop_signal);
	assert_words(a->stop_command, b->stop_command);
	assert_int_equal(a->restart, b->restart);
	assert_int_equal(a->restart_limit, b->restart_limit);
	assert_words(a->command, b->command);
	assert_words(a->env, b->env);
	assert_string_equal(a->directory, b->directory);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_int_equal(a->n_groups, b->n_groups);
	assert_memory_equal(a->groups, b->groups, sizeof(a->groups));
	assert_true(a->files_limit == b->files_limit);
}

static void assert_same_confinement(const struct start_message *a, const struct start_message *b)
{
	assert_memory_equal(&a->uids, &b->uids, sizeof(a->uids));
	assert_memory_equal(&a->gids, &b->gids, sizeof(a->gids));
	assert_true(a->caps == b->caps);
	assert_int_equal(a->filter_size, b->filter_size);
	assert_memory_equal(a->filter, b->filter, a->filter_size);
	assert_int_equal(a->forwarder_filter_size, b->forwarder_filter_size);
	assert_memory_equal(a->forwarder_filter, b->forwarder_filter, a->forwarder_filter_size);
}

static void assert_same_root(const struct root_ops *a, const struct root_ops *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct root_op *x = &a->list[i], *y = &b->list[i];

		assert_int_equal(x->kind, y->kind);
		assert_int_equal(x->flags, y->flags);
		assert_int_equal(x->mode, y->mode);
		assert_int_equal(x->uid, y->uid);
		assert_int_equal(x->gid, y->gid);
		assert_string_equal(x->target, y->target);
		assert_int_equal(!x->source, !y->source);
		if (x->source && y->source)
			assert_string_equal(x->source, y->source);
		assert_int_equal(!x->text, !y->text);
		if (x->text && y->text)
			assert_string_equal(x->text, y->text);
		assert_int_equal(x->number, y->number);
		assert_int_equal(strv_length(x->list), strv_length(y->list));
		for (size_t j = 0; x->list && x->list[j]; j++)
			assert_string_equal(x->list[j], y->list[j]);
		assert_int_equal(!x->place, !y->place);
		if (x->place && y->place)
			assert_string_equal(x->place, y->place);
	}
}

static void assert_same_host(const struct start_message *a, const struct start_message *b)
{
	assert_same_root(&a->root, &b->root);
	assert_int_equal(a->n_sources, b->n_sources);
	assert_int_equal(a->address, b->address);
	assert_string_equal(a->address6, b->address6);
	assert_int_equal(a->awaits_link, b->awaits_link);
	assert_int_equal(a->succeeds, b->succeeds);
	assert_string_equal(a->table, b->table);
	assert_int_equal(a->forwarder_uid, b->forwarder_uid);
	assert_true(a->log_limit == b->log_limit);
	assert_int_equal(a->hold, b->hold);
	assert_int_equal(a->pool_is_mount, b->pool_is_mount);
	assert_int_equal(a->n_ports, b->n_ports);
	assert_memory_equal(a->inside_ports, b->inside_ports, sizeof(a->inside_ports));
	assert_memory_equal(a->port_flags, b->port_flags, sizeof(a->port_flags));
	assert_memory_equal(a->check_flags, b->check_flags, sizeof(a->check_flags));
	assert_int_equal(a->n_cgroups, b->n_cgroups);
	assert_int_equal(a->memory_version, b->memory_version);
	assert_true(a->memory_limit == b->memory_limit);
}

static void start_message_decode_returns_every_field(void **state)
{
	struct start_message m = make_message(), again = there_and_back(&m);

	(void)state;
	assert_string_equal(again.id, m.id);
	assert_string_equal(again.stint, m.stint);
	assert_string_equal(again.stint_root, m.stint_root);
	assert_int_equal(again.lease.clock, m.lease.clock);
	assert_int_equal(again.lease.source, m.lease.source);
	assert_true(again.lease.deadline_ns == m.lease.deadline_ns);
	assert_true(again.lease.length_ns == m.lease.length_ns);
	assert_true(again.lease.max_ns == m.lease.max_ns);
	assert_same_ready(&again.ready, &m.ready);
	assert_same_confinement(&again, &m);
	assert_same_server(&again, &m);
	assert_same_host(&again, &m);
	start_message_deinit(&m);
	start_message_deinit(&again);
	start_message_deinit(&again);
}

static void start_message_decode_of_the_least(void **state)
{
	struct start_message m = {
		.id = (char *)"0123abcd",
		.stint = (char *)"/usr/bin/stint",
		.address6 = (char *)"",
		.table = (char *)"stint",
		.command = (char *[]){(char *)"true", NULL},
	};
	struct start_message again = there_and_back(&m);

	(void)state;
	assert_null(again.stint_root);
	assert_null(again.directory);
	assert_int_equal(again.ready.n_checks, 0);
	assert_int_equal(strv_length(again.stop_command), 0);
	assert_int_equal(strv_length(again.env), 0);
	assert_int_equal(again.root.n, 0);
	assert_false(again.hold);
	start_message_deinit(&again);
}

/* The copy has exactly that size, so that an address sanitizer sees the first byte too many. */
static void start_message_decode_of_every_beginning(void **state)
{
	struct start_message m = make_message(), untouched = {0};
	cleanup_text struct text bytes = {0};

	(void)state;
	start_message_encode(&m, &bytes);
	for (size_t length = 0; length < bytes.length; length++) {
		char *copy = length ? xcalloc(length, 1) : NULL;
		struct error err;

		if (length)
			memcpy(copy, bytes.data, length);
		assert_int_equal(start_message_decode(copy, length, &untouched, &err),
				 length < 4 ? -EPROTO : -EBADMSG);
		assert_null(untouched.id);
		free(copy);
	}
	start_message_deinit(&m);
}

static void start_message_decode_of_another_version(void **state)
{
	static const uint32_t versions[] = {0, START_MESSAGE_VERSION + 1, UINT32_MAX};
	struct start_message m = make_message(), untouched;
	cleanup_text struct text bytes = {0};
	struct error err;
	char words[64];

	(void)state;
	start_message_encode(&m, &bytes);
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		memcpy(bytes.data, &versions[i], sizeof(versions[i]));
		assert_int_equal(decode(&bytes, &untouched, &err), -EPROTO);
		snprintf(words, sizeof(words), "version %u, not %u", versions[i],
			 START_MESSAGE_VERSION);
		assert_non_null(strstr(err.text, words));
	}
	start_message_deinit(&m);
}

static void start_message_decode_with_more_behind(void **state)
{
	struct start_message m = make_message(), untouched;
	cleanup_text struct text bytes = {0};
	struct error err;

	(void)state;
	start_message_encode(&m, &bytes);
	text_add_bytes(&bytes, "", 1);
	assert_int_equal(decode(&bytes, &untouched, &err), -EBADMSG);
	start_message_deinit(&m);
}

static void drop_id(struct start_message *m)
{
	free(m->id);
	m->id = NULL;
}

static void drop_stint(struct start_message *m)
{
	free(m->stint);
	m->stint = NULL;
}

static void drop_command(struct start_message *m)
{
	strv_free(m->command);
	m->command = NULL;
}

static void too_many_cgroups(struct start_message *m)
{
	m->n_cgroups = START_CGROUPS_MAX + 1;
}

static void unknown_version(struct start_message *m)
{
	m->memory_version = 3;
}

static void too_many_sources(struct start_message *m)
{
	m->n_sources = PLAN_SOURCES_MAX + 1;
}

static void unknown_operation(struct start_message *m)
{
	m->root.list[0].kind = ROOT_OP_KINDS;
}

static void set_place(struct start_message *m, const char *place)
{
	char **string = &m->root.list[m->root.n - 1].place;

	free(*string);
	*string = place ? xstrdup(place) : NULL;
}

static void no_place(struct start_message *m)
{
	set_place(m, NULL);
}

static void root_as_place(struct start_message *m)
{
	set_place(m, "/");
}

static void place_beside(struct start_message *m)
{
	set_place(m, "/opt/ap");
}

static void place_that_is_all(struct start_message *m)
{
	set_place(m, "/opt/app/run/*");
}

static void start_message_decode_of_what_cannot_be(void **state)
{
	static void (*const spoil[])(struct start_message *) = {
		drop_id,	 drop_stint,	    drop_command,      too_many_cgroups,
		unknown_version, unknown_operation, too_many_sources,  no_place,
		root_as_place,	 place_beside,	    place_that_is_all,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spoil); i++) {
		struct start_message m = make_message(), untouched;
		cleanup_text struct text bytes = {0};
		struct error err;

		spoil[i](&m);
		start_message_encode(&m, &bytes);
		assert_int_equal(decode(&bytes, &untouched, &err), -EBADMSG);
		start_message_deinit(&m);
	}
}

/* Finds the count, which stands before values known to be behind it, and makes it a larger one. */
static void raise_count(struct text *bytes, uint32_t count, uint32_t first, uint32_t raised)
{
	uint32_t pattern[] = {count, first};
	char *at = memmem(bytes->data, bytes->length, pattern, sizeof(pattern));

	assert_non_null(at);
	memcpy(at, &raised, sizeof(raised));
}

static void start_message_decode_of_too_long_lists(void **state)
{
	static const struct {
		uint32_t count, first, max;
	} lists[] = {{2, 3456, START_GROUPS_MAX}, {3, 8080, PLAN_PORTS_MAX}};
	static const uint32_t beyond[] = {1, 1000, 0x80000000U - 64};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (size_t k = 0; k < ARRAY_SIZE(beyond); k++) {
			struct start_message m = make_message(), untouched;
			cleanup_text struct text bytes = {0};
			struct error err;

			start_message_encode(&m, &bytes);
			raise_count(&bytes, lists[i].count, lists[i].first,
				    lists[i].max + beyond[k]);
			assert_int_equal(decode(&bytes, &untouched, &err), -EBADMSG);
			start_message_deinit(&m);
		}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void start_message_decode_of_changed_bytes(void **state)
{
	struct start_message m = make_message(), read;
	cleanup_text struct text bytes = {0};
	uint32_t seed = 2463534242U;

	(void)state;
	start_message_encode(&m, &bytes);
	for (int i = 0; i < ROUNDS; i++) {
		size_t at = 4 + next_random(&seed) % (bytes.length - 4);
		char old = bytes.data[at];
		struct error err;

		bytes.data[at] = (char)next_random(&seed);
		if (decode(&bytes, &read, &err) == 0)
			start_message_deinit(&read);
		if (i % 8)
			bytes.data[at] = old;
		if (i % 64 == 0) {
			text_deinit(&bytes);
			start_message_encode(&m, &bytes);
		}
	}
	start_message_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_message_decode_returns_every_field),
		cmocka_unit_test(start_message_decode_of_the_least),
		cmocka_unit_test(start_message_decode_of_every_beginning),
		cmocka_unit_test(start_message_decode_of_another_version),
		cmocka_unit_test(start_message_decode_with_more_behind),
		cmocka_unit_test(start_message_decode_of_what_cannot_be),
		cmocka_unit_test(start_message_decode_of_too_long_lists),
		cmocka_unit_test(start_message_decode_of_changed_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
