/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for what was told to end; see patience.h. */
#include "cli/patience.h"
#include "base/clock.h"
#include "base/text.h"

#include <signal.h>

#define TWICE_AT_ONCE_NS (500 * NSEC_PER_MSEC)

void patience_take(struct patience *patience, int signal)
{
	int64_t now = clock_boottime_ns();

	if (signal != SIGTERM && signal != SIGINT)
		return;
	if (!patience->asked)
		patience->asked_ns = now;
	else if (now - patience->asked_ns > TWICE_AT_ONCE_NS)
		patience->over = true;
	patience->asked = signal;
	if (signal == SIGTERM && !patience->give_up_ns)
		patience->give_up_ns = now + PATIENCE_S * NSEC_PER_SEC;
}

bool patience_is_over(struct patience *patience)
{
	if (patience->give_up_ns && clock_boottime_ns() >= patience->give_up_ns)
		patience->over = true;
	return patience->over;
}

int patience_wait_ms(const struct patience *patience)
{
	int64_t left = patience->give_up_ns - clock_boottime_ns();

	if (!patience->give_up_ns)
		return -1;
	return left > 0 ? (int)(left / NSEC_PER_MSEC) + 1 : 0;
}
