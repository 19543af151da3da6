/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile-probe: attempts at getting out, run inside an instance. Each stands for a row of the
 * catalogue in tests/hostile/README.md or for a family of system calls, and answers with one line:
 *
 *	NAME denied ERRNO	it failed closed
 *	NAME SUCCEEDED text	it got what it wanted
 *	NAME reached ERRNO	the attempt came as far as the kernel, whose flaw is mended
 *	NAME absent text	this host has nothing of the kind
 *
 * "hostile-probe list" says for each which words of STINT_WEAKEN take out all that stands in its
 * way: then it has to say SUCCEEDED or reached. With those it may run as the host's root, so no
 * attempt goes further than it needs to be sure: files are opened, not written.
 */
#ifndef HOSTILE_PROBE_H
#define HOSTILE_PROBE_H

#include <stddef.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/*
 * What has to be taken out: the filter; what keeps root inside from being the host's; both; and
 * Landlock beside them.
 */
#define FILTER "seccomp"
#define POWER "caps,userns"
#define BOTH "seccomp," POWER
#define ALL BOTH ",landlock"
/* Nothing stands in its way but the kernel, which is mended. */
#define NOTHING "-"

enum verdict_kind { VERDICT_DENIED, VERDICT_SUCCEEDED, VERDICT_REACHED, VERDICT_ABSENT };

struct verdict {
	enum verdict_kind kind;
	int errnum;
	char text[160];
};

struct probe {
	const char *name, *row, *what, *weaken;
	struct verdict (*run)(void); /* NULL: the call below, and its errno */
	long call[7];
};

struct family {
	const struct probe *list;
	size_t n;
};

/* With errno. */
struct verdict denied(void);
struct verdict succeeded(const char *format, ...) __attribute__((format(printf, 1, 2)));
struct verdict reached(const char *format, ...) __attribute__((format(printf, 1, 2)));
struct verdict absent(const char *why);
/* Of a return value with errno: SUCCEEDED, or denied. */
struct verdict by_result(long result);
/* The same for a call that the filter refuses: any errno but EPERM and ENOSYS came from behind it.
 */
struct verdict by_call(long result);
/* Opens and closes again. */
struct verdict by_open(const char *path, int flags);
/* A line "key=value" of the file "host" beside the program's directory; NULL without it. */
const char *host_value(const char *key);
/* How many rounds a race runs: HOSTILE_ROUNDS, or 2,000. */
unsigned rounds(void);
/* The lowest descriptor above 2 that was open when the program started, or -1. */
int first_inherited(void);

extern const struct family family_calls, family_capabilities, family_descriptors, family_files,
	family_groups, family_ids, family_kernel, family_mounts, family_network, family_proc,
	family_secrets, family_setid, family_shared, family_signals, family_sockets,
	family_terminals;

/* The verbs; each returns the exit status. */
int offer_bait(void);
int execute_with_key(char **command);
int execute_deaf(char **command);
int exchange_names(const char *a, const char *b);
int print_identity(void);
int sweep_calls(const char *table);
int watch_processes(void);
int stop_others(void);
/* In lines of so many bytes, 4096 at most. */
int flood_output(const char *length);

#endif
