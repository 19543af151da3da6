/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: any bytes as the configuration of the host. What is taken gives out no id and no
 * address that is not there; what is not must say why.
 */
#include "fuzz.h"
#include "templates/config.h"

static void check_quota(const struct quota *quota)
{
	must(quota->ttl_ns >= 0 && quota->memory_bytes <= INT64_MAX &&
	     quota->disk_bytes <= INT64_MAX);
}

static void check_config(const struct site_config *config)
{
	const struct id_span *ids = &config->ids;

	must(ids->first % ID_RANGE_SIZE == 0 && ids->first > 0 && ids->count > 0);
	must(ids->first + (uint64_t)ids->count * ID_RANGE_SIZE <= 1ULL << 31);
	must(config->addresses.count > 0 &&
	     config->addresses.base + (uint64_t)config->addresses.count <= 1ULL << 32);
	must(config->host.memory_limits.percent <= 1000 &&
	     config->host.memory_limits.bytes <= INT64_MAX &&
	     config->host.memory_unlimited <= INT64_MAX && config->host.disk_free <= INT64_MAX);
	must(config->host.memory <= 100 && config->host.pids <= 100 && config->host.cpu <= 100);
	check_quota(&config->quota);
	for (size_t i = 0; i < config->n_quotas; i++) {
		must(*config->quotas[i].user);
		check_quota(&config->quotas[i].quota);
		must(site_config_quota(config, config->quotas[i].user));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct site_config config = {0};
	struct error err = {0};

	if (config_read_text("stint.yaml", (const char *)data, size, &config, &err) == 0)
		check_config(&config);
	else
		must(*err.text);
	site_config_deinit(&config);
	return 0;
}
