/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks: programs of the host that are run for an instance. Each is run by a process that waits for
 * it, kills it when its time is over, and leaves nothing of it: what it started ends with it,
 * whatever session or group that made for itself. It inherits nothing: no descriptor but /dev/null
 * and the pipe that its words are read from, no variable, no signal, no directory.
 */
#ifndef INSTANCE_HOOK_H
#define INSTANCE_HOOK_H

#include "instance/site.h"
#include "plan/plan.h"

#define HOOK_WARNING_NS (30 * NSEC_PER_SEC)

struct hook_run {
	const char *name; /* "before_start" */
	const struct plan_hook *hook;
	const struct record *record;
	char *const *env; /* "KEY=VALUE" beside what the record says; may be NULL */
	int cancel;	  /* readable, or closed at its other end, once it is to stop; -1: never */
};

/*
 * Runs it to its end. ERROR_FAILED with the hook, the program, what became of it and the last line
 * that it wrote; -ECANCELED. The process must have no other children.
 */
int hook_run(const struct hook_run *run, struct error *err);

/* The words of a hook for a record, which is undone without its plan; the caller frees. */
char **hook_pack(const struct plan_hook *hook);

/*
 * Runs the record's after_end, if it has one, in a process of its own, and does not wait. What goes
 * wrong with it is an event.
 */
void hook_after_end(const struct site *site, const struct record *record, const char *reason);

#endif
