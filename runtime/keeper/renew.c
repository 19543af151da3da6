/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An empty pool in place of one that was written to, for a server that starts from nothing again;
 * see keeper.h. What was written is put aside, which takes no room and no time, and removed beside
 * everything else. Before the keeper drops its privileges.
 */
#include "keeper/keeper.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define ASIDE "aside." /* in the pool, before a number and what it was */

static const char *const places[] = {ROOT_LAYER_PLACE, ROOT_SCRATCH_PLACE};

static int put_aside(int pool, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_free char *aside =
			xasprintf(ASIDE "%lld.%s", (long long)clock_boottime_ns(), places[i]);

		if (renameat(pool, places[i], pool, aside) < 0 && errno != ENOENT)
			return error_set(err, errno, "cannot put aside what it wrote");
	}
	return 0;
}

static void remove_aside(int pool)
{
	int fd = openat(pool, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, ASIDE, strlen(ASIDE)) == 0)
			(void)file_remove_tree(pool, entry->d_name);
}

/* "POOL/layer/0" -> "0" */
static const char *layer_of(const struct root_op *op)
{
	const char *slash = strrchr(op->text, '/');

	return slash ? slash + 1 : op->text;
}

static int make_one(int pool, const struct root_op *op)
{
	const char *part;

	if (op->kind == ROOT_OVERLAY && op->source && op->text)
		return root_make_layer(pool, layer_of(op), op->source, &part);
	return op->flags & ROOT_SCRATCH ? root_make_scratch(pool, op) : 0;
}

static int make_all(int pool, const struct root_ops *ops, struct error *err)
{
	for (size_t i = 0; i < ops->n; i++) {
		int r = make_one(pool, &ops->list[i]);

		if (r < 0)
			return error_set(err, -r, "cannot make a place for '%s'",
					 ops->list[i].target);
	}
	return 0;
}

int renew_pool(int pool, const struct root_ops *ops, struct error *err)
{
	int r = put_aside(pool, err);

	if (r < 0)
		return r;
	r = make_all(pool, ops, err);
	if (r != -ENOSPC && r != -EDQUOT)
		return r;
	/* it was full: then that takes its time */
	remove_aside(pool);
	return make_all(pool, ops, err);
}

void renew_clean(const struct keeper *keeper)
{
	int keep[] = {keeper->pool};
	pid_t child = fork();

	if (child == 0 && fork() == 0) {
		keeper_close_others(keep, ARRAY_SIZE(keep));
		prctl(PR_SET_NAME, "stint-cleaner", 0, 0, 0);
		remove_aside(keeper->pool);
	}
	if (child == 0)
		_exit(0);
	if (child > 0)
		waitpid(child, NULL, 0);
}
