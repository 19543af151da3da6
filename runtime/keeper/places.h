/* SPDX-License-Identifier: Apache-2.0 */
/* Where what runs inside may write; in init only. */
#ifndef KEEPER_PLACES_H
#define KEEPER_PLACES_H

#include "base/error.h"
#include "rootfs/inside.h"

/*
 * Confines the files of this process and its children (confine_files) to what ops, which made the
 * root, say: writable are the layers, the directories made for that, /dev and /etc, and the
 * contents of /proc; not the root directory itself, /usr, and other parts of the host. queues is
 * what root_open_queues returned: message queues are files that lie in no directory.
 */
int places_confine(const struct root_ops *ops, int queues, struct error *err);

#endif
