/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, signals and locks. 0 or a negative errno unless said otherwise. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * All signal dispositions to default, nothing blocked: a caller may have started us with any
 * signal ignored or blocked, and exec passes both on.
 */
void process_reset_signals(void);

/*
 * Blocks SIGINT, SIGTERM, SIGHUP and one more (0: none), and returns a descriptor that they are
 * read from (signalfd(2)), so that one never ends what has something to be undone.
 */
int process_take_signals(int one_more);

/*
 * Scheduling, priorities, personality, timer slack, huge pages and core dumps as every process has
 * them that nobody changed them for: they, too, pass through exec. A real-time policy would go past
 * every share of the processor, and a personality can take address randomization away.
 */
void process_reset_inherited(void);

/* Marks every descriptor from first on close-on-exec. */
int process_cloexec_from(int first);

/*
 * Makes files from now on as that user and group (setfsuid(2)), with every permitted capability in
 * effect all the same. For root in a process with one thread; 0, 0 takes it back.
 */
int process_set_file_ids(uid_t uid, gid_t gid);

/* Gives up one capability (CAP_*) for good; to have been without it is no failure. */
int process_drop_capability(int capability);

/* Standard streams that are nobody's: what is read is nothing, what is written goes nowhere. */
int process_null_streams(void);

int process_pidfd_open(pid_t pid);
int process_pidfd_signal(int pidfd, int signal);

/*
 * Locks one byte of fd for this open file description (fcntl_locking(2), F_OFD_SETLK): the lock
 * goes when the last descriptor that shares the description is closed. -EAGAIN when somebody
 * else holds it; lock_wait waits.
 */
int lock_try(int fd, int64_t byte);
int lock_wait(int fd, int64_t byte);
/* Locks one of n bytes from first on, the first that nobody else holds; false: there is none. */
bool lock_try_any(int fd, int64_t first, int64_t n);
void lock_release(int fd, int64_t byte);
/* True when another open file description holds the byte. */
bool lock_is_held(int fd, int64_t byte);

#endif
