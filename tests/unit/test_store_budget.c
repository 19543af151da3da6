/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/store: what the instances of everybody may have of the host together. */
#include "store_rig.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#define GIB (1ULL << 30)

struct wish {
	unsigned number;
	uint64_t memory;
	uid_t owner;
	bool restricted;
	const char *predecessor;
};

static int admit(struct store *store, struct wish wish, const struct host_budget *budget,
		 struct error *err)
{
	static const struct quota quota = {0};
	const struct admission admission = {.addresses = plenty.addresses,
					    .quota = wish.restricted ? &quota : NULL,
					    .predecessor = wish.predecessor,
					    .budget = *budget};
	cleanup_free char *name = xasprintf("n%u", wish.number);
	cleanup_record struct record *record = make_record(name, wish.number);

	record->grant.owner_uid = wish.owner;
	record->memory_bytes = wish.memory;
	*err = (struct error){0};
	return store_admit(store, record, &admission, err);
}

static void check_lacks(int r, const struct error *err, int code, const char *words)
{
	assert_int_equal(r, code);
	assert_int_equal(err->kind, ERROR_REFUSED);
	assert_int_equal(store_lacks_room(err), code == -EPERM ? ROOM_NEVER : ROOM_OF_HOST);
	if (!strstr(err->text, words))
		fail_msg("'%s' is not in: %s", words, err->text);
}

static void budget_holds_at_the_edge(void **data)
{
	const struct host_budget budget = {.memory_bytes = 4 * GIB};
	struct state *state = *data;
	struct error err;

	assert_int_equal(
		admit(state->store, (struct wish){.number = 1, .memory = 3 * GIB}, &budget, &err),
		0);
	check_lacks(
		admit(state->store, (struct wish){.number = 2, .memory = GIB + 1}, &budget, &err),
		&err, -ENOSPC,
		"may add up to 4 GiB on this host; they are at 3 GiB, and this one wants 1.0 "
		"GiB: ask for less with --memory; 'stint down n1' would give back 3 GiB");
	assert_int_equal(
		admit(state->store, (struct wish){.number = 2, .memory = GIB}, &budget, &err), 0);
	check_lacks(admit(state->store, (struct wish){.number = 3, .memory = 1}, &budget, &err),
		    &err, -ENOSPC, "they are at 4 GiB");
	check_lacks(admit(state->store, (struct wish){.number = 3, .memory = 4 * GIB + 1}, &budget,
			  &err),
		    &err, -EPERM, "this one alone wants");
	/* one without a limit counts as nothing, unless it is said as what */
	assert_int_equal(
		admit(state->store, (struct wish){.number = 4, .memory = 0}, &budget, &err), 0);
	assert_int_equal(end_instance(state->store, 1, "expired"), 0);
	assert_int_equal(
		admit(state->store, (struct wish){.number = 5, .memory = 3 * GIB}, &budget, &err),
		0);
}

static void budget_counts_those_without_a_limit_as_told(void **data)
{
	const struct host_budget budget = {.memory_bytes = 4 * GIB, .unlimited_bytes = 2 * GIB};
	struct state *state = *data;
	struct ending ending = ending_unknown;
	struct error err;

	assert_int_equal(
		admit(state->store, (struct wish){.number = 1, .memory = 0}, &budget, &err), 0);
	assert_int_equal(
		admit(state->store, (struct wish){.number = 2, .memory = GIB}, &budget, &err), 0);
	check_lacks(admit(state->store, (struct wish){.number = 3, .memory = 0}, &budget, &err),
		    &err, -ENOSPC, "they are at 3 GiB, and this one wants 2 GiB");
	/* what has ended and is kept uses no memory */
	assert_int_equal(store_keep(state->store, "00000001", &ending, INT64_MAX, &err), 0);
	assert_int_equal(
		admit(state->store, (struct wish){.number = 3, .memory = 0}, &budget, &err), 0);
	check_lacks(
		admit(state->store, (struct wish){.number = 4, .memory = GIB + 1}, &budget, &err),
		&err, -ENOSPC, "they are at 3 GiB");
	assert_int_equal(store_keep(state->store, "00000002", &ending, INT64_MAX, &err), 0);
	assert_int_equal(
		admit(state->store, (struct wish){.number = 4, .memory = 2 * GIB}, &budget, &err),
		0);
}

static void budget_counts_a_successor_as_its_predecessor(void **data)
{
	const struct host_budget budget = {.memory_bytes = 4 * GIB}, less = {.memory_bytes = GIB};
	struct state *state = *data;
	struct error err;

	assert_int_equal(
		admit(state->store, (struct wish){.number = 1, .memory = 3 * GIB}, &budget, &err),
		0);
	check_lacks(admit(state->store,
			  (struct wish){.number = 2, .memory = 5 * GIB, .predecessor = "00000001"},
			  &budget, &err),
		    &err, -EPERM, "alone wants 5 GiB");
	assert_int_equal(
		admit(state->store, (struct wish){.number = 3, .memory = GIB}, &budget, &err), 0);
	check_lacks(admit(state->store,
			  (struct wish){.number = 2, .memory = 4 * GIB, .predecessor = "00000001"},
			  &budget, &err),
		    &err, -ENOSPC, "they are at 1 GiB, and this one wants 4 GiB");
	/* also where the administrator has made it less meanwhile */
	assert_int_equal(
		admit(state->store,
		      (struct wish){.number = 2, .memory = 3 * GIB, .predecessor = "00000001"},
		      &less, &err),
		0);
}

static void budget_names_own_instances_first_and_no_others_to_the_restricted(void **data)
{
	const struct host_budget budget = {.memory_bytes = 4 * GIB};
	struct state *state = *data;
	struct error err;

	assert_int_equal(admit(state->store,
			       (struct wish){.number = 1, .memory = 3 * GIB, .owner = 1000},
			       &budget, &err),
			 0);
	assert_int_equal(admit(state->store,
			       (struct wish){.number = 2, .memory = GIB / 2, .owner = 1001},
			       &budget, &err),
			 0);
	check_lacks(
		admit(state->store,
		      (struct wish){.number = 3, .memory = GIB, .owner = 1001, .restricted = true},
		      &budget, &err),
		&err, -ENOSPC, "'stint down n2' would give back 512 MiB");
	check_lacks(
		admit(state->store,
		      (struct wish){.number = 3, .memory = GIB, .owner = 1002, .restricted = true},
		      &budget, &err),
		&err, -ENOSPC, "no instance of yours");
	assert_null(strstr(err.text, "n1"));
	assert_null(strstr(err.text, "alice"));
	check_lacks(admit(state->store, (struct wish){.number = 3, .memory = GIB, .owner = 0},
			  &budget, &err),
		    &err, -ENOSPC, "'stint down n1' (of alice) would give back 3 GiB");
}

static void budget_looks_at_the_file_system(void **data)
{
	struct state *state = *data;
	struct host_budget budget = {.spare_bytes = 1};
	struct statvfs fs;
	struct error err;

	assert_int_equal(statvfs(state->path, &fs), 0);
	assert_int_equal(admit(state->store, (struct wish){.number = 1}, &budget, &err), 0);
	budget.disk_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	check_lacks(admit(state->store, (struct wish){.number = 2}, &budget, &err), &err, -EPERM,
		    "of which 1 B stay free");
	/* what the empty file system would hold, and this one does not */
	budget.disk_bytes--;
	if ((uint64_t)fs.f_bavail * fs.f_frsize < budget.disk_bytes)
		check_lacks(admit(state->store, (struct wish){.number = 2}, &budget, &err), &err,
			    -ENOSPC, "ask for less with --disk");
}

/* Each in a process of its own; the exit status is how many of its ten tries were admitted. */
static void try_ten(const struct state *state, unsigned number)
{
	const struct host_budget budget = {.memory_bytes = 3 * GIB};
	struct store *store = NULL;
	int admitted = 0;

	if (store_open(state->path, &store, NULL) < 0)
		_exit(100);
	for (unsigned i = 0; i < 10; i++) {
		struct error err;

		admitted += admit(store, (struct wish){.number = number * 10 + i, .memory = GIB},
				  &budget, &err) == 0;
	}
	store_close(store);
	_exit(admitted);
}

static void budget_holds_with_many_at_once(void **data)
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
		WITH_STORE(budget_holds_at_the_edge),
		WITH_STORE(budget_counts_those_without_a_limit_as_told),
		WITH_STORE(budget_counts_a_successor_as_its_predecessor),
		WITH_STORE(budget_names_own_instances_first_and_no_others_to_the_restricted),
		WITH_STORE(budget_looks_at_the_file_system),
		WITH_STORE(budget_holds_with_many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
