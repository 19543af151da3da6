/* SPDX-License-Identifier: Apache-2.0 */
/* Every command, each defined in the file of its name. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command up_command, run_command, ls_command, top_command, show_command,
	logs_command, exec_command, shell_command, extend_command, cp_command, replace_command,
	down_command, diff_command, harvest_command, save_command, plan_command, port_command,
	template_command, history_command, events_command, doctor_command, check_command,
	touch_command, reset_command, sweep_command, zone_command, install_command, mend_command,
	pool_command, fill_command, guard_command, hook_command, notify_command, reap_command,
	version_command, help_command;

#endif
