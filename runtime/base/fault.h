/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults on demand, for the tests that show that nothing is left behind whatever goes wrong where.
 * Only in a build with -DSTINT_FAULTS=ON, which is never installed; in all others a point is
 * nothing.
 *
 * STINT_FAULT=POINT:FAULT in the environment of a command, which its keeper and init inherit. FAULT
 * is kill, stop, or the name of an error that the point then fails with, such as ENOSPC.
 * STINT_FAULT=list:FILE adds the name of each point that is passed to FILE; init, which cannot
 * reach it, says its own in the instance's log.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/error.h"

#ifdef STINT_FAULTS
/* 0, or the error that is wished for here. */
int fault_at(const char *point, struct error *err);
/* The same at the point "WHAT NAME". */
int fault_at_part(const char *what, const char *name, struct error *err);
/* Where this process lists its points from now on. */
void fault_list_to(int fd);
#else
#define fault_at(point, err) 0
#define fault_at_part(what, name, err) 0
#define fault_list_to(fd) (void)(fd)
#endif

#endif
