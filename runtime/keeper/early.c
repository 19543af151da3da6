/* SPDX-License-Identifier: Apache-2.0 */
/* The server's process before it is the server; see early.h. In init and in that process. */
#include "keeper/early.h"
#include "keeper/keeper.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/weaken.h"
#include "cgroup/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

static const struct early none = {.word = -1, .report = -1};

/* Init, and with it everything here, is gone when the pipe ends. */
static void await(int pipe)
{
	char word;
	ssize_t n;

	do
		n = read(pipe, &word, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(0);
}

/* Not the keeper's channel, nor what only init needs. */
static void keep_own(const struct init *init, int word, int report)
{
	int keep[] = {init->out, init->errs, init->userns, word, report};

	if (!weakened("fds"))
		keeper_close_others(keep, ARRAY_SIZE(keep));
}

static void run(struct init *init, const struct spawn *spawn, int word, int report)
{
	struct error told = {0};
	int r = cgroup_join_others(init->server_groups, init->message->n_cgroups, &told);

	if (r == 0 && setns(init->cgroupns, CLONE_NEWCGROUP) < 0)
		r = error_set(&told, errno, "cannot enter the cgroup namespace");
	keep_own(init, word, report);
	if (r == 0)
		r = init_give_up(init, &told);
	await(word);
	if (r < 0)
		spawn_fail(&told, report);
	spawn_become(spawn, report);
}

void early_make(struct init *init, const struct spawn *spawn, struct early *ret_early)
{
	cleanup_fd int word_in = -1, word_out = -1, report_in = -1, report_out = -1;
	int word[2], report[2];
	bool inside;
	pid_t pid;

	*ret_early = none;
	if (init->group < 0 || init->cgroupns < 0 || pipe2(word, O_CLOEXEC) < 0)
		return;
	word_in = word[0];
	word_out = word[1];
	if (pipe2(report, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	report_in = report[0];
	report_out = report[1];
	pid = cgroup_fork(init->group, &inside);
	if (pid == 0 && !inside)
		_exit(0);
	if (pid == 0)
		run(init, spawn, word_in, report_out);
	if (pid > 0 && inside)
		*ret_early = (struct early){
			.pid = pid, .word = steal_fd(&word_out), .report = steal_fd(&report_in)};
}

struct spawned early_start(struct early *early)
{
	struct spawned spawned = {.pid = early->pid, .report = early->report};

	/* one that is gone has said why, or is found to be gone */
	(void)!write(early->word, "g", 1);
	cleanup_close(&early->word);
	*early = none;
	return spawned;
}

bool early_lost(struct early *early, pid_t pid)
{
	if (!early->pid || early->pid != pid)
		return false;
	cleanup_close(&early->word);
	cleanup_close(&early->report);
	*early = none;
	return true;
}
