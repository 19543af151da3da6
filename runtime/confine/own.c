/* SPDX-License-Identifier: Apache-2.0 */
/* The capabilities of this process; see confine.h. In "stint doctor". */
#include "confine/confine.h"

#include <sys/capability.h>

uint64_t capabilities_in_effect(void)
{
	cap_t sets = cap_get_proc();
	uint64_t effective = 0;

	for (cap_value_t cap = 0; sets && cap <= cap_max_bits() && cap < 64; cap++) {
		cap_flag_value_t value = CAP_CLEAR;

		if (cap_get_flag(sets, cap, CAP_EFFECTIVE, &value) == 0 && value == CAP_SET)
			effective |= 1ULL << cap;
	}
	cap_free(sets);
	return effective;
}
