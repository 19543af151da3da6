/* SPDX-License-Identifier: Apache-2.0 */
/* Running small scripts; see shell_rig.h. */
#include "shell_rig.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* output -1: the caller's own. */
static pid_t start(const char *directory, const char *script, int output)
{
	pid_t child = fork();

	if (child != 0)
		return child;
	umask(022);
	if (chdir(directory) < 0 ||
	    (output >= 0 && (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)))
		_exit(255);
	execl("/bin/sh", "sh", "-c", script, (char *)NULL);
	_exit(255);
}

static int wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 255;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

int shell_status(const char *directory, const char *script)
{
	pid_t child = start(directory, script, -1);

	return child < 0 ? 255 : wait_for(child);
}

char *shell_output(const char *directory, const char *script)
{
	struct text text = {0};
	char bytes[4096];
	int ends[2];
	pid_t child;
	ssize_t n;

	text_add(&text, "");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return text_take(&text);
	child = start(directory, script, ends[1]);
	close(ends[1]);
	while ((n = read(ends[0], bytes, sizeof(bytes))) > 0)
		text_add_bytes(&text, bytes, (size_t)n);
	close(ends[0]);
	if (child > 0)
		wait_for(child);
	if (text.length > 0 && text.data[text.length - 1] == '\n')
		text.data[text.length - 1] = '\0';
	return text_take(&text);
}
