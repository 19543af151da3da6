/* SPDX-License-Identifier: Apache-2.0 */
/* The big program, as the keeper runs it or turns into it. */
#include "keeper/keeper.h"
#include "keeper/turn.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "base/text.h"

#include <sys/wait.h>
#include <unistd.h>

void keeper_become_stint(const struct keeper *keeper, char *const *argv)
{
	const struct start_message *m = &keeper->message;
	cleanup_free char *root = m->stint_root ? xasprintf("STINT_ROOT=%s", m->stint_root) : NULL;
	cleanup_free char *turn =
		keeper->turn >= 0 ? xasprintf(TURN_VARIABLE "=%d", keeper->turn) : NULL;
	char *env[] = {root ? root : turn, root ? turn : NULL, NULL};

	process_reset_signals();
	execve(m->stint, argv, env);
}

void keeper_run_stint(const struct keeper *keeper, char *const *argv)
{
	pid_t child = fork();

	if (child == 0) {
		if (fork() == 0)
			keeper_become_stint(keeper, argv);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}
