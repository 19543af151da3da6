/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many instances may end at the same moment, and undoing one of them needs a program of its own.
 * So a few take turns: a keeper whose instance has ended, and that finds all turns taken, is seen
 * to be gone and goes; who has a turn undoes the instances of such keepers, too, and looks for them
 * once more when it has given the turn back. In keepers, and in what they turn into.
 */
#ifndef KEEPER_TURN_H
#define KEEPER_TURN_H

#include <stdbool.h>

#define TURN_FILE "turns" /* in the run directory; each of its first bytes is a turn (lock_try) */
#define TURN_VARIABLE "STINT_TURN" /* of the environment: the descriptor that has a turn */

/* Takes a turn, which goes with the last descriptor of fd's description; false: all are taken. */
bool turn_take(int fd);

void turn_leave(int fd);

#endif
