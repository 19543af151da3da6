/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for more of a file that others write: logs --follow, events --follow. */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "instance/log.h"

#include <stdbool.h>

/* A descriptor for follow_wait; what is written from now on wakes it. The caller closes it. */
int follow_watch(const struct log_reader *reader, struct error *err);

/* Waits until something happens to the file; false when nobody reads standard output any more. */
bool follow_wait(int watch);

#endif
