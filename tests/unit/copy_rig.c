/* SPDX-License-Identifier: Apache-2.0 */
/* Two directories to copy between; see copy_rig.h. */
#include "copy_rig.h"
#include "shell_rig.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int world_setup(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	strcpy(world->path, "/tmp/stint-copy-XXXXXX");
	if (!mkdtemp(world->path))
		return -1;
	umask(022);
	chmod(world->path, 0755);
	world->cancel = -1;
	world->person =
		(struct account){.name = xstrdup("somebody"), .uid = getuid(), .gid = getgid()};
	world->before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	world->top = file_open_directory(AT_FDCWD, world->path);
	*state = world;
	if (mkdirat(world->top, "host", 0755) < 0 || mkdirat(world->top, "inside", 0755) < 0)
		return -1;
	world->root = openat(world->top, "inside", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fchdir(world->top) < 0)
		return -1;
	return chdir("host");
}

int world_teardown(void **state)
{
	struct world *world = *state;
	int r = fchdir(world->before);

	close(world->before);
	close(world->root);
	close(world->top);
	account_deinit(&world->person);
	text_deinit(&world->complaints);
	if (r == 0)
		r = file_remove_tree(AT_FDCWD, world->path);
	free(world);
	return r;
}

static void complain(const struct error *err, void *data)
{
	struct world *world = data;

	text_addf(&world->complaints, "%s\n", err->text);
}

static void progress(uint64_t bytes, void *data)
{
	((struct world *)data)->bytes = bytes;
}

static int run(struct world *world, struct copy_place from, struct copy_place to)
{
	struct copy copy = {
		.from = from,
		.to = to,
		.person = &world->person,
		.cancel = world->cancel,
		.progress = progress,
		.complain = complain,
		.data = world,
	};

	text_deinit(&world->complaints);
	world->err = (struct error){0};
	return copy_run(&copy, &world->err);
}

int copy_out(struct world *world, const char *from, const char *to)
{
	return run(world, (struct copy_place){.root = world->root, .path = from},
		   (struct copy_place){.root = -1, .path = to});
}

int copy_in(struct world *world, const char *from, const char *to)
{
	return run(world, (struct copy_place){.root = -1, .path = from},
		   (struct copy_place){.root = world->root, .path = to});
}

void shell(const struct world *world, const char *script)
{
	assert_int_equal(shell_status(world->path, script), 0);
}

void expect_output(const struct world *world, const char *script, const char *expected)
{
	cleanup_free char *output = shell_output(world->path, script);

	assert_string_equal(output, expected);
}
