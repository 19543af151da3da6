/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process gives up before it runs a program of an instance: ids, capabilities, the way to
 * gain any. Inside half, system calls only.
 */
#ifndef CONFINE_INSIDE_H
#define CONFINE_INSIDE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct confinement {
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* exactly these supplementary groups */
	size_t n_groups;
	uint64_t caps;	    /* what remains in every set, a bit each */
	const void *filter; /* seccomp program, struct sock_filter[]; NULL: none */
	size_t filter_size; /* bytes */
	bool explained;	    /* denied calls are answered by whoever listens at ... */
	int explainer;	    /* ... the other end of this socket, see confine_apply */
};

/*
 * Becomes what the confinement says, with no capability but those in caps and no way to regain
 * any: bounding set, no_new_privs, securebits locked (capabilities(7)); the filter comes last
 * (seccomp(2)). Irreversible. PR_SET_PDEATHSIG is lost by it.
 *
 * With explained, what the filter denies is reported instead (SECCOMP_RET_USER_NOTIF): one packet
 * over explainer has the filter's bytes and the descriptor that the reports come from. It must be
 * answered with what the filter says; without an answerer all that is denied fails with ENOSYS.
 */
int confine_apply(const struct confinement *confinement, struct error *err);

/*
 * Gives up every capability but these (a bit each) in the permitted, effective, inheritable and
 * bounding sets; for a process that goes on, such as init. Needs CAP_SETPCAP.
 */
int confine_keep(uint64_t caps, struct error *err);

/* Puts those of the permitted capabilities into effect that are in caps, and no others. */
int confine_effect(uint64_t caps, struct error *err);

/* A directory that may be written to, with all below it. */
struct confine_place {
	const char *path;
	int fd;		    /* of the directory, where it has no path */
	bool contents_only; /* files that are there can be written, none made or removed */
};

/*
 * Landlock: from now on this process and its children read what is below "/", write to these places
 * only, make no devices and mount nothing. Needs CAP_SYS_ADMIN in its user namespace. Irreversible.
 * Does nothing where the kernel is without Landlock, or with one that is too old (before 5.19).
 */
int confine_files(const struct confine_place *places, size_t n, struct error *err);

/* The version of the kernel's Landlock; 0: none that confine_files could use. */
int confine_files_version(void);

#endif
