/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of hello where it is built with AddressSanitizer. Looking for leaks at the end of a process
 * takes ptrace(2), which no instance has: without this, hello's status would be the sanitizer's.
 */
#include <sanitizer/asan_interface.h>

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
