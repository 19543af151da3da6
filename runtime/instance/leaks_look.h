/* SPDX-License-Identifier: Apache-2.0 */
/* One look at the host, for leaks.c; only for the leaks*.c files. */
#ifndef INSTANCE_LEAKS_LOOK_H
#define INSTANCE_LEAKS_LOOK_H

#include "cgroup/cgroup.h"
#include "instance/leaks.h"
#include "store/store.h"

#include <stdbool.h>
#include <sys/types.h>

/* Whose a thing is, beside an instance's id. */
#define LEAK_NOBODYS ""	 /* it must not be there in any case */
#define LEAK_COMMON "*"	 /* it must not be there without an instance */
#define LEAK_TRAFFIC "=" /* it must not be there without a zone that has traffic */

/* What was seen: before it is known which instances are sound. */
struct leak_seen {
	struct leak leak;
	char whose[80]; /* an id, one of the above, or "zone/NAME" */
};

struct leak_look {
	const struct site *site;
	struct leak_seen *list;
	size_t n;
	uint64_t *pids; /* a bit for each process: it stands in several hierarchies */
};

void leak_note(struct leak_look *look, const char *sort, const char *whose, const char *name,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The path begins with an id (then it is copied, and true), or with something else. */
bool leak_id_of(const char *path, char id[INSTANCE_ID_LENGTH + 1]);

/* Each notes what it sees of its sort, sound or not. */
void leaks_see_directories(struct leak_look *look);
void leaks_see_mounts(struct leak_look *look);
void leaks_see_loops(struct leak_look *look);
void leaks_see_groups(struct leak_look *look);
void leaks_see_processes(struct leak_look *look);
void leaks_see_network(struct leak_look *look);
void leaks_see_quotas(struct leak_look *look);

/* Whether the process is one of this installation, and of whom. */
bool leaks_is_our_process(const struct site *site, pid_t pid, char *whose, size_t size);

/* Removes links and the table that nobody needs: what no record leads to. */
int leaks_sweep_network(const struct site *site, struct error *err);

#endif
