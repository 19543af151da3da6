/* SPDX-License-Identifier: Apache-2.0 */
/* The site with its configuration; see place.h. In commands, before anything else. */
#include "cli/place.h"
#include "cli/output.h"
#include "templates/config.h"

#include <stdio.h>

int place_open(struct site *ret_site, struct error *err)
{
	int r = place_open_to_look(ret_site, err);

	return r < 0 ? r : site_check_writable(ret_site, err);
}

int place_open_to_look(struct site *ret_site, struct error *err)
{
	struct site_config config;
	int r = site_open(ret_site, err);

	if (r == 0)
		r = config_read(ret_site->config_path, &config, err);
	if (r == 0)
		site_configure(ret_site, &config);
	return r;
}

int place_open_anyway(struct site *ret_site, struct error *err)
{
	struct site_config config;
	struct error fault;
	int r = site_open(ret_site, err);

	if (r < 0)
		return r;
	if (config_read(ret_site->config_path, &config, &fault) < 0) {
		report_note("%s; going on with the defaults", fault.text);
		config_defaults(&config);
	}
	site_configure(ret_site, &config);
	return 0;
}
