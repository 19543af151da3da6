/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What unit tests share: a temporary directory, and children for everything that cannot be taken
 * back or that the host must not notice. cmocka's assertions belong to the test's own process; a
 * child uses must().
 */
#ifndef UNIT_WORLD_H
#define UNIT_WORLD_H

#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#define WORLD_BOUND_MS 60000 /* no test waits longer for an event */

struct world {
	char path[32]; /* a new directory, mode 0755 */
	int dir;       /* the same, open */
	int n_fds;     /* open descriptors at the start; world_teardown compares */
};

/* cmocka fixtures: *state becomes a struct world. */
int world_setup(void **state);
int world_teardown(void **state);
#define with_world(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

/*
 * The same directory in a child with mounts of its own, which the descriptor from outside does not
 * show. Ends with the child.
 */
struct world world_again(const struct world *world);

/* Below world->dir; parents are made. Not only for children, in spite of must(). */
void world_directory(const struct world *world, const char *path, mode_t mode);
void world_file(const struct world *world, const char *path, const char *content, mode_t mode);
void world_link(const struct world *world, const char *target, const char *path);
bool world_has(const struct world *world, const char *path);
/* The caller frees. */
char *world_path(const struct world *world, const char *path);
char *world_read(const struct world *world, const char *path);

/* A copy of text with the directory's path for every '@'. The caller frees. */
char *world_expand(const struct world *world, const char *text);

/* How many descriptors this process has open. */
int count_fds(void);

/* Skips the test for anybody but root. */
#define need_root()             \
	do {                    \
		if (!is_root()) \
			skip(); \
	} while (0)
bool is_root(void);

/*
 * Runs body in a child with new namespaces (CLONE_NEW*, 0: none), its mounts private and, with
 * CLONE_NEWPID, as process 1. The test fails unless body returns.
 */
void run_in_child(int namespaces, void (*body)(const void *arg), const void *arg);

/* Forks a child that runs body and exits with 0; it is killed with the test. */
pid_t start_child(void (*body)(const void *arg), const void *arg);
/* A child that does nothing until it is killed. */
void wait_forever(const void *arg);
/* Waits (bounded) for the child's end and returns its wait status. */
int wait_status(pid_t pid);

/* Assertions for children: end them with a word on standard error. */
#define must(condition)                                            \
	do {                                                       \
		if (!(condition))                                  \
			must_have(#condition, __FILE__, __LINE__); \
	} while (0)
void must_have(const char *condition, const char *file, int line) __attribute__((noreturn));
/* For a call with a struct error: it succeeds, or it fails with text that contains the words. */
void must_succeed(int result, const struct error *err);
void must_fail(int result, const struct error *err, const char *words);
/* The same for the test's own process. */
void assert_succeeds(int result, const struct error *err);
void assert_fails(int result, int expected, const struct error *err, const char *words);

/* One byte as a signal between processes, over a pipe or socket; hear() is bounded. */
void say(int fd);
void hear(int fd);

#endif
