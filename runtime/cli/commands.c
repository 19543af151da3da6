/* SPDX-License-Identifier: Apache-2.0 */
/* All commands, in the order of "stint help". */
#include "cli/commands.h"

#include <string.h>

const struct command *const commands[] = {
	&up_command,
	&run_command,
	&ls_command,
	&top_command,
	&show_command,
	&port_command,
	&logs_command,
	&exec_command,
	&shell_command,
	&check_command,
	&extend_command,
	&touch_command,
	&reset_command,
	&cp_command,
	&replace_command,
	&down_command,
	&diff_command,
	&harvest_command,
	&save_command,
	&plan_command,
	&template_command,
	&history_command,
	&events_command,
	&doctor_command,
	&zone_command,
	&pool_command,
	&install_command,
	&sweep_command,
	&version_command,
	&help_command,
	&reap_command,
	&mend_command,
	&guard_command,
	&fill_command,
	&hook_command,
	&notify_command,
	NULL,
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}
