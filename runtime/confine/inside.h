/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process gives up before it runs a program of an instance: ids, capabilities, the way to
 * gain any. Inside half, system calls only.
 */
#ifndef CONFINE_INSIDE_H
#define CONFINE_INSIDE_H

#include "base/error.h"

#include <sys/types.h>

/*
 * Becomes uid and gid with exactly those supplementary groups and no capability in any set, none
 * to be regained: bounding set empty, no_new_privs, securebits locked (capabilities(7)).
 * Irreversible. PR_SET_PDEATHSIG is lost by it.
 */
int confine_apply(uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups, struct error *err);

#endif
