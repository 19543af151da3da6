/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of system calls that filters are made from. Private to this folder. */
#ifndef CONFINE_CALLS_H
#define CONFINE_CALLS_H

#include "confine/confine.h"

struct call_group {
	const char *const *names; /* the last is NULL; NULL: the last group */
	unsigned kinds;		  /* 1 << enum filter_kind: who may */
};

extern const struct call_group call_groups[];

/* A call that is allowed when, for one of its rules, every condition on an argument holds. */
#define CALL_CONDITIONS_MAX 2

struct call_condition {
	uint8_t argument;     /* from 0 on */
	uint32_t mask, value; /* of its low 32 bits, which are all that the kernel looks at */
};

struct call_rule {
	const char *name; /* NULL: the last rule */
	unsigned kinds;
	struct call_condition conditions[CALL_CONDITIONS_MAX];
	uint8_t n;
};

extern const struct call_rule call_rules[];

/* Calls that the installed libseccomp may be too old to know: the same number on every machine. */
struct call_number {
	const char *name;
	int number;
};

extern const struct call_number young_calls[];

/* The youngest call that the lists were made with knowledge of (file_setattr, Linux 6.17). */
#define CALLS_NEWEST 469

/*
 * Appends to the program what stands before the lists, for the calls of that architecture
 * (AUDIT_ARCH_...): those that are younger than the list do not exist, and those that are allowed
 * but for certain arguments are refused with them.
 */
void filter_add_checks(struct text *program, enum filter_kind kind, uint32_t arch);

/* Of what makes programs from the lists, the library's included: another one, another program. */
uint32_t filter_version(void);

#endif
