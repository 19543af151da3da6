/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the configuration; offsets are in struct site_config. */
#ifndef TEMPLATES_CONFIG_KEYWORDS_H
#define TEMPLATES_CONFIG_KEYWORDS_H

#include "templates/keywords.h"

extern const struct keyword config_keywords[];

/* The kinds of values that only the configuration has, in config_values.c. */
extern const struct value_type type_first_id, type_id_count, type_address_range, type_prefix6,
	type_group_path, type_percent, type_host_amount, type_instances;

#endif
