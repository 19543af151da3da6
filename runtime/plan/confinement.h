/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a template may say about the confinement of its server: a few capabilities, and which
 * filter of system calls. The words for them are here, for templates and canonical plans alike.
 */
#ifndef PLAN_CONFINEMENT_H
#define PLAN_CONFINEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum seccomp_profile { SECCOMP_DEFAULT, SECCOMP_STRICT, SECCOMP_OFF, SECCOMP_PROFILES };

extern const char *const seccomp_profile_names[SECCOMP_PROFILES];

struct plan_confinement {
	uint64_t caps; /* a bit each, as in capabilities(7) */
	enum seccomp_profile seccomp;
	char *seccomp_reason; /* why there is no filter; with SECCOMP_OFF */
	bool abi32;	      /* 32-bit programs run too */
};

/* The capabilities that cannot break out of an instance, by name; the last has none. */
struct plan_capability {
	const char *name; /* "net_bind_service" */
	unsigned number;
};

extern const struct plan_capability plan_capabilities[];

/* The capability of that name, with or without "cap_" before it, in any case; or NULL. */
const struct plan_capability *plan_capability_find(const char *name);

#endif
