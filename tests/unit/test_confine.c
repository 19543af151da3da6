/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/confine: what a program of an instance starts with, as the kernel shows it. */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "confine/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define LOCKED                                                                            \
	(SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)
#define CHOSEN (SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_CAP_AMBIENT_RAISE)

struct person {
	uid_t uid;
	gid_t gid, groups[3];
	size_t n_groups;
	const char *ids[3]; /* lines of /proc/self/status */
};

static const struct person persons[] = {
	{1234,
	 2345,
	 {77, 2345},
	 2,
	 {"Uid:\t1234\t1234\t1234\t1234\n", "Gid:\t2345\t2345\t2345\t2345\n",
	  "Groups:\t77 2345 \n"}},
	{1234,
	 2345,
	 {0},
	 0,
	 {"Uid:\t1234\t1234\t1234\t1234\n", "Gid:\t2345\t2345\t2345\t2345\n", "Groups:\t \n"}},
	{0, 0, {0}, 1, {"Uid:\t0\t0\t0\t0\n", "Gid:\t0\t0\t0\t0\n", "Groups:\t0 \n"}},
};

static void must_be_in_status(const char *line)
{
	cleanup_free char *status = NULL;

	must(file_read(AT_FDCWD, "/proc/self/status", 1 << 16, &status, NULL) == 0);
	if (!strstr(status, line))
		dprintf(2, "no %sin:\n%s", line, status);
	must(strstr(status, line));
}

static void must_have_no_capability(void)
{
	static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		char line[64];

		snprintf(line, sizeof(line), "%s:\t0000000000000000\n", sets[i]);
		must_be_in_status(line);
	}
}

static int confine(const struct person *person, struct error *err)
{
	struct confinement confinement = {
		.uid = person->uid,
		.gid = person->gid,
		.groups = person->groups,
		.n_groups = person->n_groups,
	};

	return confine_apply(&confinement, err);
}

static void apply(const struct person *person)
{
	struct error err = {0};

	must_succeed(confine(person, &err), &err);
}

static void apply_and_look(const void *arg)
{
	const struct person *person = arg;

	apply(person);
	for (size_t i = 0; i < ARRAY_SIZE(person->ids); i++)
		must_be_in_status(person->ids[i]);
	must_have_no_capability();
	must_be_in_status("NoNewPrivs:\t1\n");
	must(prctl(PR_GET_SECUREBITS) == (LOCKED | CHOSEN));
}

static void confine_apply_leaves_ids_and_nothing_else(void **state)
{
	(void)state;
	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(persons); i++)
		run_in_child(0, apply_and_look, &persons[i]);
}

/* Also to uid 0, which elsewhere gets all of them back with the next exec. */
static void apply_and_execute(const void *arg)
{
	apply(arg);
	execl("/bin/grep", "grep", "-q", "^CapEff:.0000000000000000$", "/proc/self/status", NULL);
	must(false);
}

static void confine_apply_holds_over_exec(void **state)
{
	(void)state;
	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(persons); i++)
		run_in_child(0, apply_and_execute, &persons[i]);
}

static void apply_and_try_to_regain(const void *arg)
{
	const struct person *person = arg;

	apply(person);
	must(person->uid == 0 || (setresuid(0, 0, 0) < 0 && errno == EPERM));
	must(person->gid == 0 || (setresgid(0, 0, 0) < 0 && errno == EPERM));
	must(setgroups(1, (gid_t[]){0}) < 0 && errno == EPERM);
	must(prctl(PR_SET_SECUREBITS, 0) < 0 && errno == EPERM);
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) < 0);
	must(prctl(PR_SET_KEEPCAPS, 1) < 0);
	must(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) < 0);
	must_have_no_capability();
}

static void confine_apply_cannot_be_taken_back(void **state)
{
	(void)state;
	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(persons); i++)
		run_in_child(0, apply_and_try_to_regain, &persons[i]);
}

static void apply_twice(const void *arg)
{
	const struct person *person = arg;
	struct error err = {0};

	apply(person);
	must_fail(confine(person, &err), &err, "cannot drop capability 0");
}

static void confine_apply_without_privilege_says_what_it_cannot(void **state)
{
	(void)state;
	need_root();
	run_in_child(0, apply_twice, &persons[0]);
}

#define GRANTED (1ULL << CAP_NET_BIND_SERVICE | 1ULL << CAP_CHOWN)

static void apply_with(uid_t uid, uint64_t caps)
{
	struct confinement confinement = {.uid = uid, .gid = uid, .caps = caps};
	struct error err = {0};

	must_succeed(confine_apply(&confinement, &err), &err);
}

/* In all sets, for root as for everybody, and still there after an exec. */
static void grant_and_execute(const void *arg)
{
	const uid_t *uid = arg;

	apply_with(*uid, GRANTED);
	must_be_in_status("CapInh:\t0000000000000401\n");
	must_be_in_status("CapBnd:\t0000000000000401\n");
	must_be_in_status("CapAmb:\t0000000000000401\n");
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0) < 0);
	execl("/bin/grep", "grep", "-q", "^CapEff:.0000000000000401$", "/proc/self/status", NULL);
	must(false);
}

/* A server that starts as root and becomes somebody else has nothing left. */
static void grant_and_drop(const void *arg)
{
	(void)arg;
	apply_with(0, 1ULL << CAP_SETUID | 1ULL << CAP_CHOWN);
	must_be_in_status("CapEff:\t0000000000000081\n");
	must(setresuid(1234, 1234, 1234) == 0);
	must_be_in_status("CapPrm:\t0000000000000000\n");
	must_be_in_status("CapAmb:\t0000000000000000\n");
	must(setresuid(0, 0, 0) < 0);
}

static void confine_apply_grants_what_is_listed(void **state)
{
	static const uid_t users[] = {0, 1234};

	(void)state;
	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(users); i++)
		run_in_child(0, grant_and_execute, &users[i]);
	run_in_child(0, grant_and_drop, NULL);
}

#define KEPT (1ULL << CAP_KILL | 1ULL << CAP_SETPCAP | 1ULL << CAP_CHECKPOINT_RESTORE)

static void keep_and_look(const void *arg)
{
	static const char *const lines[] = {
		"CapInh:\t0000000000000000\n", "CapPrm:\t0000010000000120\n",
		"CapEff:\t0000010000000120\n", "CapBnd:\t0000010000000120\n",
		"CapAmb:\t0000000000000000\n"};
	struct error err = {0};

	(void)arg;
	must_succeed(confine_keep(KEPT, &err), &err);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		must_be_in_status(lines[i]);
	/* less can be kept later, more cannot */
	must_succeed(confine_keep(1ULL << CAP_KILL | 1ULL << CAP_CHOWN, &err), &err);
	must_be_in_status("CapPrm:\t0000000000000020\n");
	must_be_in_status("CapBnd:\t0000000000000020\n");
}

static void confine_keep_gives_up_the_rest(void **state)
{
	(void)state;
	need_root();
	run_in_child(0, keep_and_look, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(confine_apply_leaves_ids_and_nothing_else),
		cmocka_unit_test(confine_apply_holds_over_exec),
		cmocka_unit_test(confine_apply_cannot_be_taken_back),
		cmocka_unit_test(confine_apply_without_privilege_says_what_it_cannot),
		cmocka_unit_test(confine_apply_grants_what_is_listed),
		cmocka_unit_test(confine_keep_gives_up_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
