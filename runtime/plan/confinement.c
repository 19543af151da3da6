/* SPDX-License-Identifier: Apache-2.0 */
/* Words about confinement; see confinement.h. */
#include "plan/confinement.h"

#include <linux/capability.h>
#include <string.h>
#include <strings.h>

const char *const seccomp_profile_names[SECCOMP_PROFILES] = {
	[SECCOMP_DEFAULT] = "default",
	[SECCOMP_STRICT] = "strict",
	[SECCOMP_OFF] = "off",
};

/*
 * What a server needs that starts as root and then works as somebody else. Each acts on files and
 * processes of the instance's own ids. None of them mounts, traces, loads, or makes devices.
 */
const struct plan_capability plan_capabilities[] = {
	{"chown", CAP_CHOWN},
	{"dac_override", CAP_DAC_OVERRIDE},
	{"fowner", CAP_FOWNER},
	{"fsetid", CAP_FSETID},
	{"kill", CAP_KILL},
	{"net_bind_service", CAP_NET_BIND_SERVICE},
	{"setgid", CAP_SETGID},
	{"setuid", CAP_SETUID},
	{NULL, 0},
};

const struct plan_capability *plan_capability_find(const char *name)
{
	if (strncasecmp(name, "cap_", 4) == 0)
		name += 4;
	for (const struct plan_capability *c = plan_capabilities; c->name; c++)
		if (strcasecmp(c->name, name) == 0)
			return c;
	return NULL;
}
