/* SPDX-License-Identifier: Apache-2.0 */
/* An install and an upper; see diff_rig.h. */
#include "diff_rig.h"
#include "shell_rig.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "instance/diff.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

/* The install that all overlays begin with. */
static const char install[] =
	"set -e; mkdir -p upper work at lower/conf/deep lower/lib/sub lower/empty\n"
	"echo a > lower/conf/a; echo b > lower/conf/b; echo d > lower/conf/deep/d\n"
	"echo j > lower/lib/j; echo k > lower/lib/sub/k; ln -s conf/a lower/link\n"
	"chmod 755 lower lower/*/ lower/*/*/; { chown -h 1:1 lower/lib/j || true; } 2> /dev/null\n";

void shell(const char *directory, const char *script)
{
	assert_int_equal(shell_status(directory, script), 0);
}

int world_setup(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	strcpy(world->path, "/tmp/stint-diff-XXXXXX");
	if (!mkdtemp(world->path))
		return -1;
	world->top = file_open_directory(AT_FDCWD, world->path);
	*state = world;
	return shell_status(world->path, install);
}

int world_teardown(void **state)
{
	struct world *world = *state;
	cleanup_free char *at = xasprintf("%s/at", world->path);
	int r;

	umount2(at, MNT_DETACH);
	close(world->top);
	r = file_remove_tree(AT_FDCWD, world->path);
	free(world);
	return r;
}

char *diff_text(const struct world *world)
{
	cleanup_fd int upper = openat(world->top, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int lower = openat(world->top, "lower", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_diff struct diff diff = {0};
	struct text text = {0};
	struct error err = {0};

	if (diff_layer(upper, lower, "/i", &diff, &err) < 0)
		return xstrdup(err.text);
	diff_sort(&diff);
	for (size_t i = 0; i < diff.n; i++)
		text_addf(&text, "%c %s%s%s\n", diff.list[i].kind,
			  diff.list[i].from ? diff.list[i].from : "",
			  diff.list[i].from ? " -> " : "", diff.list[i].path);
	return text_take(&text);
}
