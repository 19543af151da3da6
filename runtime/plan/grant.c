/* SPDX-License-Identifier: Apache-2.0 */
/* Releasing a grant; see grant.h. */
#include "plan/grant.h"

#include <stdlib.h>

void grant_deinit(struct grant *grant)
{
	for (size_t i = 0; i < grant->n_ports; i++) {
		free(grant->ports[i].name);
		free(grant->ports[i].scheme);
	}
	free(grant->ports);
	free(grant->owner);
	*grant = (struct grant){0};
}
