/* SPDX-License-Identifier: Apache-2.0 */
/* A process that goes on by itself; see background.h. */
#include "instance/background.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "base/text.h"

#include <sys/wait.h>
#include <unistd.h>

static void become(const struct site *site, char *const *words)
{
	cleanup_free char *root = site->root ? xasprintf("STINT_ROOT=%s", site->root) : NULL;
	cleanup_strv char **argv = NULL;
	char *env[] = {root, NULL};

	if (process_null_streams() < 0 || setsid() < 0 || chdir("/") < 0)
		return;
	(void)process_cloexec_from(3);
	process_reset_signals();
	process_reset_inherited();
	strv_add(&argv, "stint");
	for (size_t i = 0; words[i]; i++)
		strv_add(&argv, words[i]);
	execve(site->stint, argv, env);
}

/* Twice removed: nobody has to wait for it. */
void background_run(const struct site *site, char *const *words)
{
	pid_t child = fork();

	if (child == 0) {
		if (fork() == 0)
			become(site, words);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}
