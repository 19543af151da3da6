/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as data; see config.h. */
#include "plan/config.h"

#include <stdlib.h>
#include <string.h>

void site_config_deinit(struct site_config *config)
{
	for (size_t i = 0; i < config->n_quotas; i++)
		free(config->quotas[i].user);
	free(config->quotas);
	free(config->cgroup);
	*config = (struct site_config){0};
}

const struct quota *site_config_quota(const struct site_config *config, const char *user)
{
	for (size_t i = 0; i < config->n_quotas; i++)
		if (strcmp(config->quotas[i].user, user) == 0)
			return &config->quotas[i].quota;
	return &config->quota;
}
