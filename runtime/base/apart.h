/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A function in a process of its own: what it gives up (capabilities, mounts, an identity) or
 * breaks (a library that reads what anybody wrote) is its own, too. For processes with one thread.
 */
#ifndef BASE_APART_H
#define BASE_APART_H

#include "base/error.h"

/*
 * Runs body in a child, which ends with this process, and returns what it returned, with its error.
 * Killed, with -ECANCELED, once cancel (-1: never) is readable. Nothing that body leaves in memory
 * comes back.
 */
int apart_run(int (*body)(void *data, struct error *err), void *data, int cancel,
	      struct error *err);

#endif
