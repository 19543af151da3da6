/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who listens for changes of the host's nftables: a few of the keepers whose instances have links.
 * The kernel goes through all listeners for every rule that anybody changes, and for every packet
 * that is traced. Each has a byte of a file locked; whoever undoes an instance sees to it that
 * there are enough (instance/network.c). In keepers and commands.
 */
#ifndef KEEPER_GUARDS_H
#define KEEPER_GUARDS_H

#include <stdbool.h>

#define GUARDS_FILE "guards" /* in the run directory */
#define GUARDS_MAX 4

/*
 * Takes a place for as long as a descriptor of fd's description is open; false: all are taken. In
 * each network namespace there are as many.
 */
bool guards_take(int fd);

/* True when there is a place that nobody has. */
bool guards_are_missing(int fd);

#endif
