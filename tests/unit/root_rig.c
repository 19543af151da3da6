/* SPDX-License-Identifier: Apache-2.0 */
/* Grounds for roots that are made for real; see root_rig.h. */
#include "root_rig.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "old_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

const struct rootfs_account alice = {"alice", "staff", "/home/alice", 1234, 2345};

/* In which roots are entered when the tests are run so; made before any test's own namespaces. */
static int empty = -1;

__attribute__((constructor)) static void make_empty(void)
{
	struct error err = {0};

	if (!getenv("UNIT_EMPTY") || geteuid() != 0)
		return;
	empty = rootfs_open_empty(&err);
	must_succeed(empty < 0 ? empty : 0, &err);
}

const struct root_owner nobody_else = {.userns = -1, .pool = -1, .empty = -1};

struct root_ops rig_compile(const struct rootfs_input *input)
{
	struct root_ops ops;
	struct error err = {0};

	must_succeed(rootfs_compile(input, &ops, &err), &err);
	return ops;
}

static struct ground furnish(const struct world *world)
{
	struct ground ground = {.world = world_again(world), .owner = &nobody_else};
	const struct world *w = &ground.world;

	world_file(w, "app/conf/server.xml", "original", 0644);
	world_file(w, "app/gone", "original", 0644);
	world_link(w, "/", "app/to-root");
	world_link(w, "../../../../../..", "app/up");
	world_link(w, w->path, "app/to-host");
	world_link(w, "/nowhere", "app/dangling");
	world_directory(w, "layer/0/upper", 0755);
	world_directory(w, "layer/0/work", 0755);
	world_file(w, "shown/file", "shown", 0644);
	world_file(w, "secret", "secret", 0644);
	ground.lower = file_open_directory(w->dir, "app");
	ground.upper = file_open_directory(w->dir, "layer/0/upper");
	ground.host = file_open_directory(AT_FDCWD, "/");
	refuse_as_asked();
	return ground;
}

struct ground ground_make(const struct world *outside)
{
	must(mount("tmpfs", outside->path, "tmpfs", 0, "mode=755") == 0);
	return furnish(outside);
}

struct ground ground_on_disk(const struct world *outside)
{
	return furnish(outside);
}

struct root_op *ground_add(struct ground *ground, enum root_op_kind kind, const char *target,
			   const char *source, const char *text)
{
	struct root_op *op = root_ops_add(&ground->ops, kind, target);

	if (source)
		op->source = *source == '/' ? xstrdup(source) : world_path(&ground->world, source);
	if (text)
		op->text = strncmp(text, "layer", 5) == 0 ? world_path(&ground->world, text)
							  : xstrdup(text);
	return op;
}

void ground_add_overlay(struct ground *ground)
{
	ground_add(ground, ROOT_OVERLAY, "/opt/app", "app", "layer/0")->flags = ROOT_WRITABLE;
}

void ground_add_layers(struct ground *ground)
{
	static const char *const names[] = {"above/1", "above/2"};
	struct root_op *op = ground_add(ground, ROOT_OVERLAY, "/opt/app", "app", "layer/0");

	op->flags = ROOT_WRITABLE;
	world_file(&ground->world, "above/1/lower", "1", 0644);
	world_file(&ground->world, "above/1/both", "1", 0644);
	world_file(&ground->world, "above/2/both", "2", 0644);
	world_file(&ground->world, "above/2/conf/new", "2", 0644);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *path = world_path(&ground->world, names[i]);

		strv_add(&op->list, path);
	}
}

void must_show_layers(void)
{
	must_contain(AT_FDCWD, "/opt/app/lower", "1");
	must_contain(AT_FDCWD, "/opt/app/both", "2");
	must_contain(AT_FDCWD, "/opt/app/conf/new", "2");
	must_contain(AT_FDCWD, "/opt/app/conf/server.xml", "original");
}

void ground_apply(struct ground *ground)
{
	struct root_owner owner = *ground->owner;
	struct error err = {0};

	owner.empty = empty;
	must_succeed(root_apply(&ground->ops, &owner, &err), &err);
	root_ops_deinit(&ground->ops);
}

void must_contain(int dirfd, const char *path, const char *content)
{
	cleanup_free char *data = NULL;

	must(file_read(dirfd, path, 1 << 20, &data, NULL) == 0);
	must(strcmp(data, content) == 0);
}

bool exists(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void ground_compile(struct ground *ground)
{
	cleanup_free char *app = world_path(&ground->world, "app");
	cleanup_free char *shown = world_path(&ground->world, "shown");
	cleanup_free char *layers = world_path(&ground->world, "layer");
	struct plan plan = {.install = (char *[]){app, NULL}};
	struct rootfs_input input = {.plan = &plan,
				     .hostname = "0123abcd",
				     .address = ADDRESS,
				     .account = &alice,
				     .paths = (char *[]){shown, NULL},
				     .layers = layers,
				     .has_ids = ground->owner->userns >= 0};

	ground->ops = rig_compile(&input);
}

struct ground ground_whole(const struct world *outside)
{
	struct ground ground = ground_make(outside);

	ground_compile(&ground);
	return ground;
}

void must_be_refused(const char *path, int expected)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd >= 0 || errno != expected)
		dprintf(2, "%s:\n", path);
	must(fd < 0 && errno == expected);
}

const struct userns_map unit_map = {BASE, 1, {FOREIGN}};

void run_owned(void (*body)(const void *arg), const struct world *world)
{
	struct scene scene = {
		world,
		{.uids = &unit_map, .gids = &unit_map, .userns = -1, .pool = -1, .empty = -1}};
	struct error err = {0};

	assert_succeeds(userns_make(&unit_map, &unit_map, &scene.owner.userns, &err), &err);
	run_in_child(OWN_NAMESPACES, body, &scene);
	close(scene.owner.userns);
}

struct ground ground_owned(const struct scene *scene)
{
	struct ground ground = ground_on_disk(scene->world);

	ground.owner = &scene->owner;
	return ground;
}

struct ground ground_owned_in_memory(const struct scene *scene)
{
	struct ground ground = ground_make(scene->world);

	ground.owner = &scene->owner;
	return ground;
}

void ground_apply_and_enter(struct ground *ground)
{
	struct error err = {0};

	ground_apply(ground);
	must_succeed(userns_enter(ground->owner->userns, &err), &err);
}

void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};

	must(syscall(SYS_capset, &header, none) == 0);
}

void must_list_only(const char *path, const char *const *allowed)
{
	cleanup_dir DIR *dir = opendir(path);
	struct dirent *entry;

	must(dir || errno == ENOENT);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && !strv_contains((char **)allowed, entry->d_name))
			dprintf(2, "'%s/%s' is visible\n", path, entry->d_name);
		must(entry->d_name[0] == '.' || strv_contains((char **)allowed, entry->d_name));
	}
}
