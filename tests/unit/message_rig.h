/* SPDX-License-Identifier: Apache-2.0 */
/* A start message for tests. */
#ifndef TESTS_MESSAGE_RIG_H
#define TESTS_MESSAGE_RIG_H

#include "keeper/message.h"

/*
 * One in which every field says something, and no two fields the same, so that none can take
 * another's place. The caller ends it with start_message_deinit.
 */
struct start_message make_message(void);

#endif
