/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/store: many processes at the same moment, and one that is killed. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "store_rig.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CROWD 20
#define BUSY_DISK_MS 8000

/* In a process where this is set, the disk is busy, and each time it is waited for is told here. */
static int busy_disk = -1;

/* In place of the C library's, also for SQLite. */
int fdatasync(int fd)
{
	if (busy_disk >= 0) {
		(void)!write(busy_disk, "", 1);
		poll(NULL, 0, BUSY_DISK_MS);
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/* Runs when the parent closes its end of gate; the process exits with what f returns. */
static pid_t start_in_crowd(const int gate[2], int (*f)(const char *, unsigned), const char *path,
			    unsigned number)
{
	pid_t pid = fork();
	char byte;

	if (pid != 0)
		return pid;
	close(gate[1]);
	(void)!read(gate[0], &byte, 1);
	_exit(f(path, number));
}

/* Returns how many of the processes exited with status. */
static unsigned run_crowd(int (*f)(const char *, unsigned), const char *path, int status)
{
	unsigned matching = 0;
	int gate[2], how;

	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	for (unsigned i = 0; i < CROWD; i++)
		assert_true(start_in_crowd(gate, f, path, i) > 0);
	close(gate[0]);
	close(gate[1]);
	for (unsigned i = 0; i < CROWD; i++) {
		assert_true(wait(&how) > 0);
		matching += WIFEXITED(how) && WEXITSTATUS(how) == status;
	}
	return matching;
}

static int open_and_admit(const char *path, const char *name, unsigned number)
{
	cleanup_store struct store *store = NULL;
	struct error err = {0};

	if (store_open(path, &store, &err) == 0 &&
	    admit_in(store, name, number, &plenty, NULL, &err) == 0)
		return 0;
	if (err.kind != ERROR_EXISTS)
		print_error("process %u: %s\n", number, err.text);
	return err.kind;
}

static int admit_own_name(const char *path, unsigned number)
{
	char name[16];

	snprintf(name, sizeof(name), "n%u", number);
	return open_and_admit(path, name, number);
}

static int admit_same_name(const char *path, unsigned number)
{
	return open_and_admit(path, "web", number);
}

static void assert_addresses_distinct(struct store *store, size_t expected)
{
	struct record **records = NULL;
	bool seen[CROWD] = {false};
	size_t count = 0;

	assert_int_equal(store_list(store, &records, &count, NULL), 0);
	assert_int_equal(count, expected);
	for (size_t i = 0; i < count; i++) {
		uint32_t at = records[i]->address - plenty.addresses.base;

		assert_true(at < CROWD);
		assert_false(seen[at]);
		seen[at] = true;
	}
	record_list_free(records, count);
}

static void store_admit_crowd_makes_the_database(void **data)
{
	struct state *state = *data;

	for (int round = 0; round < 10; round++) {
		cleanup_free char *path = xasprintf("%s/%d", state->path, round);

		assert_int_equal(mkdir(path, 0700), 0);
		assert_int_equal(run_crowd(admit_own_name, path, 0), CROWD);
		assert_int_equal(store_open(path, &state->store, NULL), 0);
		assert_addresses_distinct(state->store, CROWD);
		store_cleanup(&state->store);
	}
}

static void store_admit_crowd_with_one_name(void **data)
{
	struct state *state = *data;

	store_cleanup(&state->store);
	assert_int_equal(run_crowd(admit_same_name, state->path, ERROR_EXISTS), CROWD - 1);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	assert_addresses_distinct(state->store, 1);
}

static int admit_and_end_often(const char *path, unsigned number)
{
	for (int i = 0; i < 20; i++) {
		cleanup_store struct store *store = NULL;
		int r = admit_own_name(path, number);

		if (r != 0)
			return r;
		if (store_open(path, &store, NULL) < 0 ||
		    end_instance(store, number, "expired") < 0)
			return 1;
	}
	return 0;
}

static void store_finish_crowd(void **data)
{
	struct state *state = *data;
	struct history_entry *entries = NULL;
	size_t count = 0;

	store_cleanup(&state->store);
	assert_int_equal(run_crowd(admit_and_end_often, state->path, 0), CROWD);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	assert_addresses_distinct(state->store, 0);
	assert_int_equal(store_history(state->store, NULL, NULL, SIZE_MAX, &entries, &count, NULL),
			 0);
	assert_int_equal(count, CROWD * 20);
	history_free(entries, count);
}

/* Says so on the pipe after each, so that the parent can kill it in the middle of its work. */
static void admit_until_killed(const char *path, int progress)
{
	for (unsigned i = 0;; i++)
		if (admit_own_name(path, i) != 0 || write(progress, "", 1) != 1)
			_exit(1);
}

static void store_open_after_kill(void **data)
{
	struct state *state = *data;
	char done[50];
	int progress[2], how;
	pid_t pid;

	store_cleanup(&state->store);
	assert_int_equal(pipe2(progress, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		admit_until_killed(state->path, progress[1]);
	for (size_t got = 0; got < sizeof(done);)
		got += (size_t)read(progress[0], done, sizeof(done) - got);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFSIGNALED(how));
	close(progress[0]);
	close(progress[1]);
	assert_int_equal(store_open(state->path, &state->store, NULL), 0);
	must_admit(state->store, "after", 0xffff);
}

static void end_with_busy_disk(const char *path, int told)
{
	cleanup_store struct store *store = NULL;

	/* a test that fails does not come back to end it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (store_open(path, &store, NULL) < 0)
		_exit(1);
	busy_disk = told;
	for (unsigned i = 0;; i++) {
		char name[16];

		snprintf(name, sizeof(name), "busy%u", i);
		if (admit_in(store, name, i, &plenty, NULL, NULL) < 0 ||
		    end_instance(store, i, "expired") < 0)
			_exit(1);
	}
}

/* Who copies the log waits for the disk: the others do not. */
static void store_finish_with_busy_disk(void **data)
{
	struct state *state = *data;
	int64_t begin;
	int told[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		end_with_busy_disk(state->path, told[1]);
	close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	begin = clock_boottime_ns();
	must_admit(state->store, "meanwhile", 0xffff);
	assert_true(clock_boottime_ns() - begin < BUSY_DISK_MS / 2 * (NSEC_PER_SEC / 1000));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(told[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DIRECTORY(store_admit_crowd_makes_the_database),
		WITH_STORE(store_admit_crowd_with_one_name),
		WITH_STORE(store_finish_crowd),
		WITH_STORE(store_finish_with_busy_disk),
		WITH_STORE(store_open_after_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
