/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of many instances at once, by the few that have a turn (keeper/turn.h). In the program
 * that a keeper turns into, once it has undone its own instance.
 */
#ifndef INSTANCE_REAP_H
#define INSTANCE_REAP_H

#include "instance/site.h"

/* The descriptor that has this process's turn, as its keeper left it; -1: it has none. */
int reap_turn(void);

/* Undoes what nobody keeps, until there is nothing more, and gives the turn back. */
void reap_others(const struct site *site, int turn);

#endif
