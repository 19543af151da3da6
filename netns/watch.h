/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Noticing that the firewall's table is lost, inside half: for keepers, which link no library. It
 * is the loss that is noticed, as by "nft flush ruleset"; that a rule was changed is found by the
 * next command that uses the table (firewall.h).
 */
#ifndef NETNS_WATCH_H
#define NETNS_WATCH_H

#include "base/error.h"

#include <stdbool.h>

/* A descriptor that becomes readable when somebody changes tables in this network namespace. */
int netns_watch_open(struct error *err);

/* Reads what has come; true when a table of that name was deleted, or too much came to tell. */
bool netns_watch_take(int fd, const char *table);

/* Asks the kernel; true also when it does not say. */
bool netns_watch_has_table(const char *table);

/* The same, but true only when the kernel says so. */
bool netns_watch_finds_table(const char *table);

#endif
