/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/store: the quota of a restricted owner, and what errors tell him of others. */
#include "store_rig.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#define GIB (1ULL << 30)

struct counted {
	uint64_t memory, cpu, disk;
};

static int admit(struct store *store, unsigned number, uid_t owner, struct counted counted,
		 const struct quota *quota, struct error *err)
{
	const struct admission admission = {.addresses = plenty.addresses, .quota = quota};
	cleanup_free char *name = xasprintf("n%u", number);
	cleanup_record struct record *record = make_record(name, number);

	record->grant.owner_uid = owner;
	record->memory_bytes = counted.memory;
	record->cpu_millis = counted.cpu;
	record->disk_bytes = counted.disk;
	return store_admit(store, record, &admission, err);
}

static void check_refused(int r, const struct error *err, const char *words)
{
	assert_true(r == -EPERM || r == -EDQUOT);
	assert_int_equal(err->kind, ERROR_REFUSED);
	if (!strstr(err->text, words))
		fail_msg("'%s' is not in: %s", words, err->text);
}

static void store_admit_counts_the_owners_instances(void **data)
{
	struct state *state = *data;
	const struct quota two = {.instances = 2}, none = {0};
	const struct counted nothing = {0};
	struct error err;

	assert_int_equal(admit(state->store, 1, 1000, nothing, &two, &err), 0);
	assert_int_equal(admit(state->store, 2, 1000, nothing, &two, &err), 0);
	check_refused(admit(state->store, 3, 1000, nothing, &two, &err), &err,
		      "your quota is 2 instances, and you have 2: 'stint down n1' would end the "
		      "oldest of yours");
	assert_int_equal(store_lacks_room(&err), ROOM_OF_OWNER);
	assert_int_equal(admit(state->store, 4, 1001, nothing, &two, &err), 0);
	assert_int_equal(admit(state->store, 5, 1000, nothing, &none, &err), 0);
	assert_int_equal(admit(state->store, 6, 1000, nothing, NULL, &err), 0);
	assert_int_equal(end_instance(state->store, 1, "expired"), 0);
	assert_int_equal(end_instance(state->store, 2, "expired"), 0);
	check_refused(admit(state->store, 7, 1000, nothing, &two, &err), &err, "2 instances");
	assert_int_equal(end_instance(state->store, 5, "expired"), 0);
	assert_int_equal(admit(state->store, 7, 1000, nothing, &two, &err), 0);
}

static void store_admit_adds_up_limits(void **data)
{
	static const struct quota quota = {
		.memory_bytes = 4 * GIB, .cpu_millis = 2000, .disk_bytes = 10 * GIB};
	static const struct {
		struct counted counted;
		const char *words;
	} cases[] = {
		{{3 * GIB, 1500, 9 * GIB}, NULL},
		{{2 * GIB, 500, GIB},
		 "your quota is 4 GiB of memory; your instances have 3 GiB, and this one wants 2 "
		 "GiB: ask for less with --memory; 'stint down n0' would give back 3 GiB"},
		{{GIB, 501, GIB},
		 "2 of processors; your instances have 1.5, and this one wants 0.501"},
		{{GIB, 500, 2 * GIB}, "10 GiB of disk"},
		{{0, 500, GIB}, "needs a limit of it: give --memory"},
		{{GIB, 0, GIB}, "needs a limit of it: give --cpus"},
		{{GIB, 500, 0}, "needs a limit of it: give --disk"},
		{{INT64_MAX, 500, GIB}, "of memory"},
		{{GIB, 500, GIB}, NULL},
		{{65536, 10, 65536}, "of memory"},
	};
	struct state *state = *data;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err;
		int r = admit(state->store, i, 1000, cases[i].counted, &quota, &err);

		if (cases[i].words)
			check_refused(r, &err, cases[i].words);
		else
			assert_int_equal(r, 0);
	}
}

/* What nothing that ends would help is not waited for. */
static void store_lacks_room_tells_never_from_later(void **data)
{
	static const struct quota quota = {.memory_bytes = 4 * GIB};
	static const struct {
		uint64_t memory;
		enum room room;
	} cases[] = {{0, ROOM_NEVER}, {5 * GIB, ROOM_NEVER}, {2 * GIB, ROOM_OF_OWNER}};
	struct state *state = *data;
	struct error err = {0};

	assert_int_equal(
		admit(state->store, 1, 1000, (struct counted){.memory = 3 * GIB}, &quota, &err), 0);
	assert_int_equal(store_lacks_room(&err), ROOM_NEVER);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		check_refused(admit(state->store, 2, 1000,
				    (struct counted){.memory = cases[i].memory}, &quota, &err),
			      &err, "your quota is 4 GiB of memory");
		assert_int_equal(store_lacks_room(&err), cases[i].room);
	}
}

static void store_admit_tells_a_restricted_owner_nothing_of_others(void **data)
{
	struct state *state = *data;
	const struct quota quota = {0};
	const struct admission admission = {.addresses = plenty.addresses, .quota = &quota};
	cleanup_record struct record *first = make_record("web", 1), *name = make_record("web", 2),
				     *port = make_record("other", 3);
	struct error err;

	add_port(first, "127.0.0.1", 8080);
	add_port(port, "127.0.0.1", 8080);
	assert_int_equal(store_admit(state->store, first, &plenty, &err), 0);
	assert_int_equal(store_admit(state->store, name, &admission, &err), -EEXIST);
	assert_null(strstr(err.text, "alice"));
	assert_int_equal(store_admit(state->store, port, &admission, &err), -EADDRINUSE);
	assert_null(strstr(err.text, "alice"));
	assert_null(strstr(err.text, "web"));
}

/* Each in a process of its own; the exit status is how many of its ten tries were admitted. */
static void try_ten(const struct state *state, unsigned number)
{
	static const struct quota quota = {.instances = 3};
	struct store *store = NULL;
	int admitted = 0;

	if (store_open(state->path, &store, NULL) < 0)
		_exit(100);
	for (unsigned i = 0; i < 10; i++)
		admitted +=
			admit(store, number * 10 + i, 1000, (struct counted){0}, &quota, NULL) == 0;
	store_close(store);
	_exit(admitted);
}

static void store_admit_of_many_at_once_keeps_the_quota(void **data)
{
	struct state *state = *data;
	int total = 0, status;
	pid_t pids[6];

	store_cleanup(&state->store);
	for (unsigned i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			try_ten(state, i);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(pids); i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		total += WEXITSTATUS(status);
	}
	assert_int_equal(total, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(store_admit_counts_the_owners_instances),
		WITH_STORE(store_admit_adds_up_limits),
		WITH_STORE(store_lacks_room_tells_never_from_later),
		WITH_STORE(store_admit_tells_a_restricted_owner_nothing_of_others),
		WITH_STORE(store_admit_of_many_at_once_keeps_the_quota),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
