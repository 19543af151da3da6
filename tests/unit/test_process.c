/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/base/process: locks that belong to open file descriptions, signals, descriptors. */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int open_lock(const struct world *w)
{
	int fd = openat(w->dir, "lock", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void lock_try_excludes_other_descriptions(void **state)
{
	cleanup_fd int a = open_lock(*state), b = open_lock(*state);

	assert_false(lock_is_held(b, 0));
	assert_int_equal(lock_try(a, 0), 0);
	assert_int_equal(lock_try(b, 0), -EAGAIN);
	assert_true(lock_is_held(b, 0));
	/* one's own lock is no obstacle */
	assert_int_equal(lock_try(a, 0), 0);
	assert_false(lock_is_held(a, 0));
}

static void lock_try_of_another_byte_succeeds(void **state)
{
	cleanup_fd int a = open_lock(*state), b = open_lock(*state);

	assert_int_equal(lock_try(a, 0), 0);
	assert_int_equal(lock_try(b, 1), 0);
	assert_int_equal(lock_try(a, 1), -EAGAIN);
	assert_false(lock_is_held(a, 0));
	assert_true(lock_is_held(a, 1));
}

/* Unlike fcntl(2)'s old locks, which go with any descriptor of the file. */
static void lock_try_survives_the_close_of_others(void **state)
{
	int a = open_lock(*state), copy = fcntl(a, F_DUPFD_CLOEXEC, 0);
	cleanup_fd int b = open_lock(*state);

	assert_int_equal(lock_try(a, 0), 0);
	close(open_lock(*state));
	assert_int_equal(lock_try(b, 0), -EAGAIN);
	close(a);
	assert_int_equal(lock_try(b, 0), -EAGAIN);
	close(copy);
	assert_int_equal(lock_try(b, 0), 0);
}

static void hold_until_told(const void *arg)
{
	hear(*(const int *)arg);
}

static void lock_try_is_shared_over_fork(void **state)
{
	int a = open_lock(*state), go[2];
	cleanup_fd int b = open_lock(*state);
	pid_t child;

	assert_int_equal(lock_try(a, 0), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	child = start_child(hold_until_told, &go[0]);
	close(a);
	assert_true(lock_is_held(b, 0));
	assert_int_equal(lock_try(b, 0), -EAGAIN);
	say(go[1]);
	assert_int_equal(wait_status(child), 0);
	assert_false(lock_is_held(b, 0));
	assert_int_equal(lock_try(b, 0), 0);
	close(go[0]);
	close(go[1]);
}

struct waiting {
	const struct world *world;
	volatile int *released;
	int ready;
};

static void wait_for_lock(const void *arg)
{
	const struct waiting *waiting = arg;
	int fd = openat(waiting->world->dir, "lock", O_RDWR | O_CLOEXEC);

	must(lock_try(fd, 0) == -EAGAIN);
	say(waiting->ready);
	must(lock_wait(fd, 0) == 0);
	must(*waiting->released == 1);
}

static void lock_wait_returns_after_the_release(void **state)
{
	int *released =
		mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = open_lock(*state), ready[2];
	struct waiting waiting = {.world = *state, .released = released};
	pid_t child;

	assert_int_equal(lock_try(fd, 0), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	waiting.ready = ready[1];
	/* the child must not share the lock's description */
	child = fork();
	if (child == 0) {
		close(fd);
		alarm(WORLD_BOUND_MS / 1000);
		wait_for_lock(&waiting);
		_exit(0);
	}
	hear(ready[0]);
	*released = 1;
	close(fd);
	assert_int_equal(wait_status(child), 0);
	munmap(released, sizeof(int));
	close(ready[0]);
	close(ready[1]);
}

static void lock_try_needs_a_file_open_for_writing(void **state)
{
	cleanup_fd int made = open_lock(*state);
	struct world *w = *state;
	cleanup_fd int fd = openat(w->dir, "lock", O_RDONLY | O_CLOEXEC);

	(void)made;
	assert_int_equal(lock_try(fd, 0), -EBADF);
	assert_int_equal(lock_try(-1, 0), -EBADF);
	/* what cannot be looked at counts as held */
	assert_true(lock_is_held(-1, 0));
}

/* As the kernel has it, which knows two signals that the C library keeps to itself. */
struct disposition {
	void (*handler)(int);
	unsigned long rest[3];
};

static bool change_disposition(int number, const struct disposition *new, struct disposition *old)
{
	return syscall(SYS_rt_sigaction, number, new, old, sizeof(uint64_t)) == 0;
}

static void spoil_and_reset_signals(const void *arg)
{
	const struct disposition ignore = {.handler = SIG_IGN};
	struct disposition seen;
	sigset_t all, now;

	(void)arg;
	for (int i = 1; i < NSIG; i++)
		must(change_disposition(i, &ignore, NULL) == (i != SIGKILL && i != SIGSTOP));
	sigfillset(&all);
	must(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
	process_reset_signals();
	for (int i = 1; i < NSIG; i++)
		must(change_disposition(i, NULL, &seen) && seen.handler == SIG_DFL);
	must(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
	must(sigisemptyset(&now));
}

static void process_reset_signals_resets_all(void **state)
{
	(void)state;
	run_in_child(0, spoil_and_reset_signals, NULL);
}

static void spoil_and_reset_the_rest(const void *arg)
{
	static const struct sched_param none = {0};

	(void)arg;
	must(sched_setscheduler(0, SCHED_BATCH, &none) == 0);
	must(setpriority(PRIO_PROCESS, 0, 5) == 0);
	must(personality(ADDR_NO_RANDOMIZE) == PER_LINUX);
	must(prctl(PR_SET_TIMERSLACK, 1234, 0, 0, 0) == 0);
	must(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
	process_reset_inherited();
	must(sched_getscheduler(0) == SCHED_OTHER);
	must(getpriority(PRIO_PROCESS, 0) == 0);
	must(personality(0xffffffff) == PER_LINUX);
	must(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 50000);
	must(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0);
}

static void process_reset_inherited_resets_what_was_changed(void **state)
{
	(void)state;
	need_root();
	run_in_child(0, spoil_and_reset_the_rest, NULL);
}

static void open_and_mark(const void *arg)
{
	(void)arg;
	must(dup2(0, 700) == 700 && dup2(0, 701) == 701 && dup2(0, 900) == 900);
	must(process_cloexec_from(701) == 0);
	must(fcntl(700, F_GETFD) == 0);
	must(fcntl(701, F_GETFD) == FD_CLOEXEC);
	must(fcntl(900, F_GETFD) == FD_CLOEXEC);
	must(process_cloexec_from(901) == 0);
}

static void process_cloexec_from_marks_the_rest(void **state)
{
	(void)state;
	run_in_child(0, open_and_mark, NULL);
}

static void process_pidfd_signal_reaches_the_child(void **state)
{
	pid_t child = start_child(wait_forever, NULL);
	cleanup_fd int fd = process_pidfd_open(child);
	int status;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(process_pidfd_signal(fd, 0), 0);
	assert_int_equal(process_pidfd_signal(fd, SIGKILL), 0);
	status = wait_status(child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(process_pidfd_signal(fd, SIGKILL), -ESRCH);
	assert_int_equal(process_pidfd_open(child), -ESRCH);
}

static uint64_t permitted(void)
{
	cleanup_free char *status = NULL;
	unsigned long long caps = 0;
	const char *line;

	must(file_read(AT_FDCWD, "/proc/self/status", 1 << 16, &status, NULL) == 0);
	line = strstr(status, "CapPrm:");
	must(line && sscanf(line, "CapPrm: %llx", &caps) == 1);
	return caps;
}

static void give_up_two(const void *arg)
{
	uint64_t before = permitted();

	(void)arg;
	must(before & (1ULL << CAP_KILL));
	for (int i = 0; i < 2; i++) {
		must(process_drop_capability(CAP_KILL) == 0);
		must(process_drop_capability(CAP_WAKE_ALARM) == 0);
	}
	must(permitted() == (before & ~(1ULL << CAP_KILL | 1ULL << CAP_WAKE_ALARM)));
	/* nor does it come back with a change of ids */
	must(process_set_file_ids(1234, 1234) == 0 && process_set_file_ids(0, 0) == 0);
	must(!(permitted() & (1ULL << CAP_KILL)));
}

static void process_drop_capability_is_for_good(void **state)
{
	(void)state;
	need_root();
	run_in_child(0, give_up_two, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(lock_try_excludes_other_descriptions),
		with_world(lock_try_of_another_byte_succeeds),
		with_world(lock_try_survives_the_close_of_others),
		with_world(lock_try_is_shared_over_fork),
		with_world(lock_wait_returns_after_the_release),
		with_world(lock_try_needs_a_file_open_for_writing),
		with_world(process_reset_signals_resets_all),
		with_world(process_reset_inherited_resets_what_was_changed),
		with_world(process_cloexec_from_marks_the_rest),
		with_world(process_pidfd_signal_reaches_the_child),
		with_world(process_drop_capability_is_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
