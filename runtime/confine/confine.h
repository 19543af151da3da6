/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confinement, host half: the filters of system calls as bytes for the inside half (inside.h), and
 * what capabilities this process has.
 */
#ifndef CONFINE_CONFINE_H
#define CONFINE_CONFINE_H

#include "base/error.h"
#include "base/text.h"
#include "plan/confinement.h"

#include <stdbool.h>
#include <stdint.h>

enum filter_kind {
	FILTER_DEFAULT,	  /* what servers need: JVM, Node.js, Erlang, Python, nginx, PostgreSQL */
	FILTER_STRICT,	  /* what a plain JVM or Node.js server needs */
	FILTER_FORWARDER, /* the forwarder's loop */
	FILTER_KINDS,
};

struct filter {
	void *program; /* struct sock_filter[], see seccomp(2) */
	size_t size;   /* bytes */
};

void filter_deinit(struct filter *filter);

/*
 * The filter of that kind for this machine's native calls, and with abi32 for 32-bit ones too.
 * Allowed calls pass; forbidden ones fail with EPERM, clone3 and calls that are younger than the
 * list with ENOSYS, so that programs take their older way; nothing is ever killed.
 */
int filter_compile(enum filter_kind kind, bool abi32, struct filter *ret_filter, struct error *err);

/*
 * The same from directory (open, root's own), where it is kept as a file; made and put there when
 * it is missing, damaged, of another version of the list, or not root's alone.
 */
int filter_load(int directory, enum filter_kind kind, bool abi32, struct filter *ret_filter,
		struct error *err);

/* What a call may do, for tests and explanations: the whole list, by name. */
struct filter_call {
	const char *name;
	int number;    /* on this machine; -1: it has none */
	bool checked;  /* allowed with certain arguments only */
	uint8_t kinds; /* 1 << enum filter_kind: where it is allowed */
};

/* The call at that place of the list; its name is NULL behind the last one. */
struct filter_call filter_call_at(size_t index);

/* The name of a call by its number on this machine, or NULL. */
const char *filter_call_name(int number, char buffer[64]);

struct seccomp_data;

/* What the filter returns for that call: SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO and a number. */
uint32_t filter_decide(const struct filter *filter, const struct seccomp_data *data);

/* Appends the call in words, with the argument that decides: "socket(AF_ALG)". */
void filter_explain(const struct seccomp_data *data, struct text *ret_text);

/* Why it is denied, at most 66 characters for people; for a call that is denied. */
const char *filter_reason(const struct seccomp_data *data);

/* It was made with this machine's own numbers: not with those of 32-bit programs, nor of x32. */
bool filter_is_native(const struct seccomp_data *data);

/* The capabilities in effect in this process, a bit each. */
uint64_t capabilities_in_effect(void);

#endif
