/* SPDX-License-Identifier: Apache-2.0 */
/* Work that no instance owns and nobody waits for: a process of stint's own. In commands. */
#ifndef INSTANCE_BACKGROUND_H
#define INSTANCE_BACKGROUND_H

#include "instance/site.h"

/*
 * Runs "stint WORDS..." as nobody's child, with nothing of the caller's: neither its session nor
 * its descriptors, directory or environment. The store must be closed. What fails is not told: such
 * work is done again by whoever comes next.
 */
void background_run(const struct site *site, char *const *words);

#endif
