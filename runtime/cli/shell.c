/* SPDX-License-Identifier: Apache-2.0 */
/* stint shell: as stint exec, with a shell. */
#include "cli/commands.h"
#include "cli/exec.h"

#include <stddef.h>

static int run_shell(const struct invocation *invocation)
{
	static const char script[] = "if [ -x /bin/bash ]; then exec /bin/bash; fi; exec /bin/sh";
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};

	return execute_inside(invocation, invocation->args[0], argv, -1);
}

const struct command shell_command = {
	.name = "shell",
	.usage = "NAME [OPTION...]",
	.options = "user env",
	.summary = "a shell inside an instance",
	.description = "Runs bash, or sh where there is none, inside the instance, on a terminal "
		       "that follows the size of yours.",
	.min_args = 1,
	.max_args = 1,
	.usage_exit = EXIT_OWN_FAILURE,
	.run = run_shell,
};
