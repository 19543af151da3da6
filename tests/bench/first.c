/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server whose first act is to say when that is: the time of CLOCK_MONOTONIC, in nanoseconds.
 * Linked statically, so that no loading of libraries comes before it. For scripts/bench alone.
 */
#include <stdio.h>
#include <time.h>

int main(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return printf("first %lld\n", now.tv_sec * 1000000000LL + now.tv_nsec) < 0;
}
