/* SPDX-License-Identifier: Apache-2.0 */
/* What keeper and commands share of a succession (store/succession.h). */
#ifndef KEEPER_SUCCESSION_H
#define KEEPER_SUCCESSION_H

/*
 * A file in the run directory of an instance that has taken the published ports of another one: how
 * many nanoseconds that one may drain.
 */
#define SUCCESSION_TAKEN "taken"

#endif
