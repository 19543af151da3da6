/* SPDX-License-Identifier: Apache-2.0 */
/* Templates that are wrong, and what is said of each, word for word. */
#ifndef TESTS_FAULT_RIG_H
#define TESTS_FAULT_RIG_H

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct fault_case {
	const char *yaml, *message;
};

/* Each is refused with its message; file is what the text is called. */
void check_faults(const char *file, const struct fault_case *cases, size_t n);

#endif
