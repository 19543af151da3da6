/* SPDX-License-Identifier: Apache-2.0 */
/* stint version. */
#include "cli/commands.h"
#include "cli/output.h"

#include <stdio.h>

static int run_version(const struct invocation *invocation)
{
	if (invocation->options.json)
		return json_print(json_pack("{s:s}", "version", STINT_VERSION));
	puts("stint " STINT_VERSION);
	return 0;
}

const struct command version_command = {
	.name = "version",
	.usage = "",
	.options = "json",
	.summary = "print the version",
	.max_args = 0,
	.run = run_version,
};
