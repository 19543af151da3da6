/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two objects are the same to whoever looks: kind, mode, owner, content. */
#ifndef INSTANCE_SAME_H
#define INSTANCE_SAME_H

#include "instance/inspect.h"

/*
 * 1 or 0; of two directories only mode and owner count. -ENOENT and others when one of them cannot
 * be read.
 */
int same_object(const struct found *a, const struct found *b);

#endif
