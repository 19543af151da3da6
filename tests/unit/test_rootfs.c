/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/rootfs: the list of operations that a plan becomes, and what the inside sees when the
 * list was run for real, in children with mounts and processes of their own.
 */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "rootfs/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define ADDRESS 0x0ad50007U /* 10.213.0.7 */

static const struct rootfs_account alice = {"alice", "staff", "/home/alice", 1234, 2345};

/* no user namespace */
static const struct root_owner nobody_else = {.userns = -1};

static const char *const kind_names[ROOT_OP_KINDS] = {
	[ROOT_DIRECTORY] = "directory", [ROOT_SYMLINK] = "symlink", [ROOT_FILE] = "file",
	[ROOT_COPY] = "copy",		[ROOT_NODE] = "node",	    [ROOT_BIND] = "bind",
	[ROOT_OVERLAY] = "overlay",	[ROOT_TMPFS] = "tmpfs",	    [ROOT_DEVPTS] = "devpts",
	[ROOT_PROC] = "proc",		[ROOT_SYSFS] = "sysfs",	    [ROOT_READ_ONLY] = "read-only",
	[ROOT_MASK_FILE] = "mask",
};

/* The host decides about these: symbolic links or directories of their own, which time zone. */
static bool depends_on_host(const char *target)
{
	static const char *const targets[] = {"/bin",	"/sbin",   "/lib",	    "/lib32",
					      "/lib64", "/libx32", "/etc/localtime"};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (strcmp(target, targets[i]) == 0)
			return true;
	return false;
}

static void describe_op(const struct root_op *op, struct text *to)
{
	static const char letters[] = "owxd"; /* optional, writable, noexec, has devices */

	text_addf(to, "%s %s ", kind_names[op->kind], op->target);
	for (int i = 0; i < 4; i++)
		if (op->flags & (1U << i))
			text_addf(to, "%c", letters[i]);
	text_addf(to, " %o %u:%u", op->mode, op->uid, op->gid);
	if (op->source)
		text_addf(to, " <%s>", op->source);
	if (op->text)
		text_addf(to, " \"%.*s\"", (int)strcspn(op->text, "\n"), op->text);
	text_add(to, "\n");
}

static char *describe(const struct root_ops *ops)
{
	struct text out = {0};

	for (size_t i = 0; i < ops->n; i++)
		if (!depends_on_host(ops->list[i].target))
			describe_op(&ops->list[i], &out);
	return text_take(&out);
}

static const char golden[] =
	"bind /usr  755 0:0 </usr>\n"
	"directory /tmp  1777 0:0\n"
	"directory /run  755 0:0\n"
	"directory /run/lock  1777 0:0\n"
	"directory /var/tmp  1777 0:0\n"
	"directory /var/cache  755 0:0\n"
	"directory /var/lib  755 0:0\n"
	"directory /var/log  755 0:0\n"
	"symlink /var/run  0 0:0 \"../run\"\n"
	"symlink /var/lock  0 0:0 \"../run/lock\"\n"
	"directory /root  700 0:0\n"
	"file /etc/passwd  644 0:0 \"root:x:0:0:root:/root:/bin/sh\"\n"
	"file /etc/group  644 0:0 \"root:x:0:\"\n"
	"file /etc/hostname  644 0:0 \"0123abcd\"\n"
	"file /etc/hosts  644 0:0 \"127.0.0.1 localhost\"\n"
	"file /etc/resolv.conf  644 0:0 \"# no name server: this zone has no egress\"\n"
	"file /etc/nsswitch.conf  644 0:0 \"passwd: files\"\n"
	"copy /etc/ld.so.cache o 644 0:0 </etc/ld.so.cache>\n"
	"copy /etc/timezone o 644 0:0 </etc/timezone>\n"
	"copy /etc/services o 644 0:0 </etc/services>\n"
	"copy /etc/protocols o 644 0:0 </etc/protocols>\n"
	"copy /etc/mime.types o 644 0:0 </etc/mime.types>\n"
	"bind /etc/alternatives o 644 0:0 </etc/alternatives>\n"
	"bind /etc/ssl/certs o 644 0:0 </etc/ssl/certs>\n"
	"symlink /etc/os-release  755 0:0 \"../usr/lib/os-release\"\n"
	"symlink /etc/mtab  755 0:0 \"../proc/self/mounts\"\n"
	"directory /home/alice  700 1234:2345\n"
	"tmpfs /dev wxd 0 0:0 \"mode=0755,size=64k,nr_inodes=64\"\n"
	"node /dev/null  666 0:0 \"1:3\"\n"
	"node /dev/zero  666 0:0 \"1:5\"\n"
	"node /dev/full  666 0:0 \"1:7\"\n"
	"node /dev/random  666 0:0 \"1:8\"\n"
	"node /dev/urandom  666 0:0 \"1:9\"\n"
	"node /dev/tty  666 0:0 \"5:0\"\n"
	"symlink /dev/ptmx  0 0:0 \"pts/ptmx\"\n"
	"symlink /dev/fd  0 0:0 \"/proc/self/fd\"\n"
	"symlink /dev/stdin  0 0:0 \"/proc/self/fd/0\"\n"
	"symlink /dev/stdout  0 0:0 \"/proc/self/fd/1\"\n"
	"symlink /dev/stderr  0 0:0 \"/proc/self/fd/2\"\n"
	"devpts /dev/pts wxd 0 0:0 \"newinstance,ptmxmode=0666,mode=0620,gid=5,max=256\"\n"
	"tmpfs /dev/shm wx 0 0:0 \"mode=1777,size=256m\"\n"
	"proc /proc wx 0 0:0\n"
	"read-only /proc/sys ox 0 0:0\n"
	"read-only /proc/sysrq-trigger ox 0 0:0\n"
	"read-only /proc/irq ox 0 0:0\n"
	"read-only /proc/bus ox 0 0:0\n"
	"mask /proc/kcore owxd 0 0:0\n"
	"mask /proc/keys owxd 0 0:0\n"
	"mask /proc/timer_list owxd 0 0:0\n"
	"sysfs /sys x 0 0:0\n"
	"tmpfs /sys/fs/cgroup wx 0 0:0 \"mode=0755,size=16k,nr_inodes=64\"\n"
	"bind /sys/fs/cgroup/memory x 755 0:0 </host/memory/id/server>\n"
	"bind /sys/fs/cgroup/pids x 755 0:0 </host/pids/id/server>\n"
	"bind /srv/data  755 0:0 </srv/data>\n"
	"overlay /opt/a w 755 0:0 </opt/a> \"/state/layer/0\"\n"
	"overlay /opt/b c w 755 0:0 </opt/b c> \"/state/layer/1\"\n";

static const struct rootfs_view two_views[] = {
	{(char *)"/host/memory/id/server", (char *)"/sys/fs/cgroup/memory"},
	{(char *)"/host/pids/id/server", (char *)"/sys/fs/cgroup/pids"},
};

static struct root_ops compile(const struct rootfs_input *input)
{
	struct root_ops ops;
	struct error err = {0};

	must_succeed(rootfs_compile(input, &ops, &err), &err);
	return ops;
}

static void rootfs_compile_of_a_whole_plan(void **state)
{
	struct plan plan = {.install = (char *[]){(char *)"/opt/a", (char *)"/opt/b c", NULL}};
	struct rootfs_input input = {
		.plan = &plan,
		.hostname = "0123abcd",
		.address = ADDRESS,
		.account = &alice,
		.paths = (char *[]){(char *)"/srv/data", NULL},
		.layers = "/state/layer",
		.cgroups = two_views,
		.n_cgroups = 2,
	};
	struct root_ops ops = compile(&input);
	cleanup_free char *found = describe(&ops);

	(void)state;
	assert_string_equal(found, golden);
	root_ops_deinit(&ops);
	root_ops_deinit(&ops);
}

static const struct root_op *find_op(const struct root_ops *ops, enum root_op_kind kind,
				     const char *target)
{
	for (size_t i = 0; i < ops->n; i++)
		if (ops->list[i].kind == kind && strcmp(ops->list[i].target, target) == 0)
			return &ops->list[i];
	return NULL;
}

static struct root_ops compile_for(const struct rootfs_account *account, char *const *install)
{
	struct plan plan = {.install = (char **)install};
	struct rootfs_input input = {.plan = &plan,
				     .hostname = "0123abcd",
				     .address = ADDRESS,
				     .account = account,
				     .layers = "/state/layer"};

	return compile(&input);
}

static void rootfs_compile_writes_accounts_and_names(void **state)
{
	static const struct {
		struct rootfs_account account;
		const char *passwd, *group;
	} cases[] = {
		{{"alice", "staff", "/home/alice", 1234, 2345},
		 "root:x:0:0:root:/root:/bin/sh\nalice:x:1234:2345::/home/alice:/bin/sh\n"
		 "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
		 "root:x:0:\ntty:x:5:\nstaff:x:2345:\nnogroup:x:65534:\n"},
		{{"root", "root", "/root", 0, 0},
		 "root:x:0:0:root:/root:/bin/sh\n"
		 "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
		 "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"},
		{{"nobody", "nogroup", "/nonexistent", 65534, 65534},
		 "root:x:0:0:root:/root:/bin/sh\n"
		 "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
		 "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct root_ops ops = compile_for(&cases[i].account, NULL);

		assert_string_equal(find_op(&ops, ROOT_FILE, "/etc/passwd")->text, cases[i].passwd);
		assert_string_equal(find_op(&ops, ROOT_FILE, "/etc/group")->text, cases[i].group);
		assert_string_equal(find_op(&ops, ROOT_FILE, "/etc/hosts")->text,
				    "127.0.0.1 localhost\n::1 localhost\n10.213.0.7 0123abcd\n");
		root_ops_deinit(&ops);
	}
}

static void rootfs_compile_makes_a_home_where_there_is_none(void **state)
{
	static const struct {
		const char *home;
		bool made;
	} cases[] = {
		{"/home/alice", true}, {"/var/lib/alice", true}, {"/var/run/alice", true},
		{"/opt/apple", true},  {"/usrlocal", true},	 {"/", false},
		{"/usr/games", false}, {"/usr", false},		 {"/opt/app", false},
		{"/opt/app/x", false}, {"/bin", false},		 {"/lib/x", false},
		{"/tmp", false},       {"/etc/passwd", false},
	};
	char *const install[] = {(char *)"/opt/app", NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rootfs_account account = alice;
		const struct root_op *op;
		struct root_ops ops;

		account.home = cases[i].home;
		ops = compile_for(&account, install);
		op = find_op(&ops, ROOT_DIRECTORY, account.home);
		if (cases[i].made != (op && op->uid == alice.uid))
			print_error("home '%s':\n", account.home);
		assert_int_equal(op && op->uid == alice.uid, cases[i].made);
		root_ops_deinit(&ops);
	}
}

static void rootfs_compile_shows_one_version_2_tree_in_place(void **state)
{
	static const struct rootfs_view view = {(char *)"/host/id/server",
						(char *)"/sys/fs/cgroup"};
	struct plan plan = {0};
	struct rootfs_input input = {.plan = &plan,
				     .hostname = "0123abcd",
				     .account = &alice,
				     .layers = "/l",
				     .cgroups = &view,
				     .n_cgroups = 1};
	struct root_ops ops = compile(&input);

	(void)state;
	assert_null(find_op(&ops, ROOT_TMPFS, "/sys/fs/cgroup"));
	assert_non_null(find_op(&ops, ROOT_BIND, "/sys/fs/cgroup"));
	root_ops_deinit(&ops);
}

static struct wire_reader reader_of(const struct text *bytes, size_t length)
{
	return (struct wire_reader){.data = (uint8_t *)bytes->data, .left = length};
}

static void root_ops_get_returns_what_was_put(void **state)
{
	struct root_ops ops = compile_for(&alice, NULL), again;
	cleanup_free char *before = describe(&ops), *after = NULL;
	cleanup_text struct text bytes = {0};
	struct wire_reader from;

	(void)state;
	root_ops_put(&ops, &bytes);
	from = reader_of(&bytes, bytes.length);
	root_ops_get(&from, &again);
	assert_false(from.bad);
	assert_int_equal(from.left, 0);
	after = describe(&again);
	assert_string_equal(after, before);
	root_ops_deinit(&ops);
	root_ops_deinit(&again);
}

static void root_ops_get_of_a_bad_message(void **state)
{
	struct root_ops ops = {0}, again;
	cleanup_text struct text bytes = {0};

	(void)state;
	root_ops_add(&ops, ROOT_FILE, "/etc/x")->text = xstrdup("content");
	root_ops_add(&ops, ROOT_BIND, "/y")->source = xstrdup("/z");
	root_ops_put(&ops, &bytes);
	for (size_t length = 0; length < bytes.length; length++) {
		struct wire_reader from = reader_of(&bytes, length);

		root_ops_get(&from, &again);
		assert_true(from.bad);
		root_ops_deinit(&again);
	}
	for (uint32_t kind = ROOT_OP_KINDS; kind < ROOT_OP_KINDS + 2; kind++) {
		struct wire_reader from = reader_of(&bytes, bytes.length);

		memcpy(bytes.data + 4, &kind, sizeof(kind));
		root_ops_get(&from, &again);
		assert_true(from.bad);
		root_ops_deinit(&again);
	}
	root_ops_deinit(&ops);
}

/*
 * The ground for real runs, on a tmpfs of the child's own: W/app is an install, W/layer/0 its
 * upper and work, W/shown is shown, W/secret is not.
 */
struct ground {
	struct world world;
	struct root_ops ops;
	int lower, upper, host; /* the host's, as the inside never has them */
};

static struct ground make_ground(const struct world *outside)
{
	struct ground ground = {0};
	struct world *w = &ground.world;

	must(mount("tmpfs", outside->path, "tmpfs", 0, "mode=755") == 0);
	*w = world_again(outside);
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
	return ground;
}

static struct root_op *add(struct ground *ground, enum root_op_kind kind, const char *target,
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

static void add_overlay(struct ground *ground)
{
	add(ground, ROOT_OVERLAY, "/opt/app", "app", "layer/0")->flags = ROOT_WRITABLE;
}

static void must_apply(struct ground *ground)
{
	struct error err = {0};

	must_succeed(root_apply(&ground->ops, &nobody_else, &err), &err);
	root_ops_deinit(&ground->ops);
}

static void must_contain(int dirfd, const char *path, const char *content)
{
	cleanup_free char *data = NULL;

	must(file_read(dirfd, path, 1 << 20, &data, NULL) == 0);
	must(strcmp(data, content) == 0);
}

static bool exists(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

#define OWN_NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)

static void write_to_overlay(const void *arg)
{
	struct ground ground = make_ground(arg);

	add_overlay(&ground);
	must_apply(&ground);
	must_contain(AT_FDCWD, "/opt/app/conf/server.xml", "original");
	must(file_write(AT_FDCWD, "/opt/app/conf/server.xml", "changed", 0644) == 0);
	must(file_write(AT_FDCWD, "/opt/app/new", "new", 0644) == 0);
	must(unlink("/opt/app/gone") == 0);
	/* Java renames directories of the install */
	must(rename("/opt/app/conf", "/opt/app/conf.old") == 0);
	must_contain(AT_FDCWD, "/opt/app/conf.old/server.xml", "changed");
	must_contain(ground.upper, "new", "new");
	must_contain(ground.upper, "conf.old/server.xml", "changed");
	must_contain(ground.lower, "conf/server.xml", "original");
	must_contain(ground.lower, "gone", "original");
	must(!exists(ground.lower, "new") && !exists(AT_FDCWD, "/opt/app/gone"));
}

static void root_apply_writes_to_the_upper_only(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, write_to_overlay, *state);
}

/* Every link of an install is resolved with the new root as "/". */
static void follow_links_of_the_install(const void *arg)
{
	static const struct {
		const char *target, *seen;
	} cases[] = {
		{"/opt/app/to-root/through-root", "/through-root"},
		{"/opt/app/up/through-up", "/through-up"},
		{"/opt/app/up/../through-both", "/through-both"},
	};
	struct ground ground = make_ground(arg);

	add_overlay(&ground);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		add(&ground, ROOT_BIND, cases[i].target, "shown", NULL);
		must(!exists(AT_FDCWD, cases[i].seen));
	}
	add(&ground, ROOT_FILE, "/opt/app/to-root/written", NULL, "written");
	add(&ground, ROOT_DIRECTORY, "/opt/app/up/made", NULL, NULL);
	must_apply(&ground);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *file = xasprintf("%s/file", cases[i].seen);

		must_contain(AT_FDCWD, file, "shown");
		must(!exists(ground.host, cases[i].seen + 1));
	}
	must_contain(AT_FDCWD, "/written", "written");
	must(exists(AT_FDCWD, "/made"));
	must(!exists(ground.host, "written") && !exists(ground.host, "made"));
}

static void root_apply_resolves_links_inside(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, follow_links_of_the_install, *state);
}

static void lead_to_the_host(const void *arg)
{
	struct ground ground = make_ground(arg);
	cleanup_free char *inside = xasprintf("%s/made", ground.world.path);

	add_overlay(&ground);
	/* the link exists, what it names does not: nothing is made in its place */
	add(&ground, ROOT_DIRECTORY, inside, NULL, NULL);
	add(&ground, ROOT_BIND, "/opt/app/to-host/made", "shown", NULL);
	must_apply(&ground);
	must(!exists(ground.world.dir, "made"));
	must_contain(AT_FDCWD, "/opt/app/to-host/made/file", "shown");
	must(!exists(AT_FDCWD, "/opt/app/to-host/secret"));
}

static void root_apply_never_mounts_on_the_host(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, lead_to_the_host, *state);
}

/* A whole plan. */

static struct ground make_whole(const struct world *outside)
{
	struct ground ground = make_ground(outside);
	cleanup_free char *app = world_path(&ground.world, "app");
	cleanup_free char *shown = world_path(&ground.world, "shown");
	cleanup_free char *layers = world_path(&ground.world, "layer");
	struct plan plan = {.install = (char *[]){app, NULL}};
	struct rootfs_input input = {.plan = &plan,
				     .hostname = "0123abcd",
				     .address = ADDRESS,
				     .account = &alice,
				     .paths = (char *[]){shown, NULL},
				     .layers = layers};

	ground.ops = compile(&input);
	return ground;
}

static void must_list_only(const char *path, const char *const *allowed)
{
	cleanup_dir DIR *dir = opendir(path);
	struct dirent *entry;

	must(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && !strv_contains((char **)allowed, entry->d_name))
			dprintf(2, "'%s/%s' is visible\n", path, entry->d_name);
		must(entry->d_name[0] == '.' || strv_contains((char **)allowed, entry->d_name));
	}
}

static void look_around(const void *arg)
{
	static const char *const top[] = {"usr",    "bin", "sbin", "lib", "lib32", "lib64",
					  "libx32", "tmp", "run",  "var", "root",  "etc",
					  "home",   "dev", "proc", "sys", NULL};
	static const char *const users[] = {"alice", NULL};
	static const char *const empty[] = {NULL};
	static const char *const only_lock[] = {"lock", NULL};
	static const char *const places[] = {"app", "shown", NULL};
	struct ground ground = make_whole(arg);
	const char *name = strrchr(ground.world.path, '/') + 1;
	const char *const temporary[] = {name, NULL};

	must_apply(&ground);
	must_list_only("/", top);
	must_list_only("/home", users);
	must_list_only("/root", empty);
	must_list_only("/run", only_lock);
	must_list_only("/var/lib", empty);
	must_list_only("/var/tmp", empty);
	must_list_only("/tmp", temporary);
	must_list_only(ground.world.path, places);
	must(access("/etc/shadow", F_OK) < 0);
	must(access("/bin/sh", X_OK) == 0);
}

static void root_apply_shows_nothing_of_the_host(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, look_around, *state);
}

static void must_be_refused(const char *path, int expected)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd >= 0 || errno != expected)
		dprintf(2, "%s:\n", path);
	must(fd < 0 && errno == expected);
}

static void try_to_write(const void *arg)
{
	struct ground ground = make_whole(arg);
	cleanup_free char *shown = world_path(&ground.world, "shown/new");

	must_apply(&ground);
	must_be_refused("/usr/stint-unit", EROFS);
	must_be_refused("/bin/stint-unit", EROFS);
	must_be_refused(shown, EROFS);
	must_be_refused("/sys/stint-unit", EROFS);
	must_be_refused("/proc/sys/kernel/hostname", EROFS);
	if (exists(AT_FDCWD, "/proc/sysrq-trigger"))
		must_be_refused("/proc/sysrq-trigger", EROFS);
	must(file_write(AT_FDCWD, "/tmp/file", "", 0644) == 0);
	must(file_write(AT_FDCWD, "/dev/null", "gone", 0) == 0);
	must(file_write(AT_FDCWD, "/home/alice/file", "", 0644) == 0);
}

static void root_apply_lets_nothing_of_the_host_be_written(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, try_to_write, *state);
}

/* Not every kernel has the files that are masked for every instance: mask one that all have. */
static void look_at_masked_file(const void *arg)
{
	struct ground ground = make_whole(arg);

	add(&ground, ROOT_MASK_FILE, "/proc/version", NULL, NULL)->flags =
		ROOT_WRITABLE | ROOT_HAS_DEVICES;
	must_apply(&ground);
	must_contain(AT_FDCWD, "/proc/version", "");
	must(access("/proc/kcore", F_OK) < 0 || file_poke(AT_FDCWD, "/proc/kcore", "x") == 0);
	must(access("/proc/keys", F_OK) < 0 || file_poke(AT_FDCWD, "/proc/keys", "x") == 0);
}

static void root_apply_masks_files(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, look_at_masked_file, *state);
}

static bool has_option(const char *options, const char *option)
{
	size_t n = strlen(option);

	for (const char *at = options; (at = strstr(at, option)); at++)
		if ((at == options || at[-1] == ',') && (at[n] == ',' || at[n] == '\0'))
			return true;
	return false;
}

/* Devices work on /dev alone, and on /dev/null where it masks a file. */
static void check_mount(const char *root, const char *point, const char *options)
{
	bool is_dev = strcmp(point, "/dev") == 0 || strcmp(point, "/dev/pts") == 0 ||
		      strcmp(root, "/null") == 0;

	if (!has_option(options, "nosuid") || has_option(options, "nodev") == is_dev)
		dprintf(2, "%s has %s\n", point, options);
	must(has_option(options, "nosuid"));
	must(has_option(options, "nodev") != is_dev);
	if (strncmp(point, "/proc", 5) == 0 || strncmp(point, "/sys", 4) == 0 ||
	    strncmp(point, "/dev", 4) == 0)
		must(has_option(options, "noexec"));
}

static void look_at_mounts(const void *arg)
{
	struct ground ground = make_whole(arg);
	cleanup_free char *text = NULL;
	char *rest, *line;
	int n = 0;

	must_apply(&ground);
	must(file_read(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &text, NULL) == 0);
	rest = text;
	while ((line = strsep(&rest, "\n")) && *line) {
		char root[256], point[256], options[256];

		must(sscanf(line, "%*s %*s %*s %255s %255s %255s", root, point, options) == 3);
		check_mount(root, point, options);
		n++;
	}
	/* what was mounted on the host is not even hidden below */
	must(n > 8 && n < 30);
}

static void root_apply_restricts_every_mount(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, look_at_mounts, *state);
}

static void must_be_device(const char *path, unsigned major, unsigned minor)
{
	struct stat st;

	must(stat(path, &st) == 0);
	must(S_ISCHR(st.st_mode) && st.st_rdev == makedev(major, minor));
	must((st.st_mode & 0777) == 0666);
}

static void look_at_details(const void *arg)
{
	struct ground ground = make_whole(arg);
	struct stat st;

	must_apply(&ground);
	must_be_device("/dev/null", 1, 3);
	must_be_device("/dev/zero", 1, 5);
	must_be_device("/dev/urandom", 1, 9);
	must(stat("/home/alice", &st) == 0);
	must(st.st_uid == 1234 && st.st_gid == 2345 && (st.st_mode & 07777) == 0700);
	must(stat("/tmp", &st) == 0 && (st.st_mode & 07777) == 01777);
	must(stat("/etc/passwd", &st) == 0 && (st.st_mode & 07777) == 0644);
	must_contain(AT_FDCWD, "/etc/hostname", "0123abcd\n");
	must(access("/proc/1/status", F_OK) == 0 && access("/proc/2", F_OK) < 0);
	must(access("/dev/ptmx", R_OK | W_OK) == 0);
	must(close(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)) == 0);
}

static void root_apply_sets_owners_modes_and_devices(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, look_at_details, *state);
}

/* A caller with a strict umask must not close the inside to its own server. */
static void look_with_umask(const void *arg)
{
	umask(077);
	look_at_details(arg);
}

static void root_apply_does_not_depend_on_the_umask(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, look_with_umask, *state);
}

struct failing {
	enum root_op_kind kind;
	uint32_t flags;
	const char *target, *source, *text;
	int code;
	const char *also; /* words of the message besides target and source */
};

static const struct failing failings[] = {
	{ROOT_BIND, 0, "/here", "missing", NULL, -ENOENT, "cannot show"},
	{ROOT_BIND, 0, "/opt/app/dangling/x", "shown", NULL, -ENOENT, "cannot show"},
	{ROOT_BIND, 0, "/opt/app/dangling", "shown", NULL, -ENOENT, "cannot show"},
	{ROOT_BIND, 0, "/opt/app/gone/x", "shown", NULL, -ENOTDIR, "cannot show"},
	{ROOT_BIND, 0, "/opt/app/conf", "secret", NULL, -EISDIR, "cannot show"},
	{ROOT_BIND, 0, "here", "shown", NULL, -EINVAL, "cannot show"},
	{ROOT_OVERLAY, 0, "/over", "missing", "layer/0", -ENOENT, "copy-on-write"},
	{ROOT_OVERLAY, 0, "/over", "app", "layer/7", -ENOENT, "copy-on-write"},
	{ROOT_OVERLAY, 0, "/over", "secret", "layer/0", -ENOTDIR, "copy-on-write"},
	{ROOT_COPY, 0, "/etc/x", "missing", NULL, -ENOENT, "cannot read"},
	{ROOT_COPY, ROOT_OPTIONAL, "/etc/x", "app", NULL, -EISDIR, "cannot read"},
	{ROOT_COPY, 0, "/opt/app/conf", "secret", NULL, -EEXIST, "cannot create"},
	{ROOT_FILE, 0, "/opt/app/gone", NULL, "text", -EEXIST, "cannot create"},
	{ROOT_FILE, 0, "/opt/app/dangling", NULL, "text", -EEXIST, "cannot create"},
	{ROOT_FILE, 0, "/opt/app/", NULL, "text", -EINVAL, "parent"},
	{ROOT_FILE, 0, "/opt/app/gone/x", NULL, "text", -ENOTDIR, "parent"},
	{ROOT_SYMLINK, 0, "/opt/app/gone/x", NULL, "text", -ENOTDIR, "parent"},
	{ROOT_NODE, 0, "/null", NULL, "one:three", -EINVAL, "device"},
	{ROOT_NODE, 0, "/opt/app/gone", NULL, "1:3", -EEXIST, "device"},
	{ROOT_DIRECTORY, 0, "/opt/app/gone", NULL, NULL, -ENOTDIR, "make directory"},
	{ROOT_TMPFS, 0, "/t", NULL, "size=nonsense", -EINVAL, "mount a new"},
	{ROOT_TMPFS, 0, "/opt/app/gone", NULL, NULL, -ENOTDIR, "mount a new"},
	{ROOT_READ_ONLY, 0, "/missing", NULL, NULL, -ENOENT, "open"},
	{ROOT_READ_ONLY, ROOT_OPTIONAL, "/opt/app/gone/x", NULL, NULL, -ENOTDIR, "open"},
	{ROOT_MASK_FILE, 0, "/opt/app/gone", NULL, NULL, -ENOENT, "open"},
};

struct attempt {
	const struct world *world;
	const struct failing *failing;
};

static void apply_and_be_refused(const void *arg)
{
	const struct attempt *attempt = arg;
	const struct failing *f = attempt->failing;
	struct ground ground = make_ground(attempt->world);
	cleanup_free char *source = NULL, *target = xasprintf("'%s'", f->target);
	struct error err = {0};
	int r;

	add_overlay(&ground);
	add(&ground, f->kind, f->target, f->source, f->text)->flags = f->flags;
	r = root_apply(&ground.ops, &nobody_else, &err);
	if (r != f->code)
		dprintf(2, "%s: %d %s\n", f->target, r, err.text);
	must(r == f->code);
	must_fail(r, &err, f->also);
	must_fail(r, &err, target);
	source = f->source ? xasprintf("'%s/%s'", ground.world.path, f->source) : xstrdup("");
	must_fail(r, &err, source);
}

static void root_apply_names_source_and_target(void **state)
{
	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(failings); i++) {
		struct attempt attempt = {.world = *state, .failing = &failings[i]};

		run_in_child(OWN_NAMESPACES, apply_and_be_refused, &attempt);
	}
}

static void pass_over_optional(const void *arg)
{
	struct ground ground = make_ground(arg);

	add(&ground, ROOT_BIND, "/here", "missing", NULL)->flags = ROOT_OPTIONAL;
	add(&ground, ROOT_COPY, "/copy", "missing", NULL)->flags = ROOT_OPTIONAL;
	add(&ground, ROOT_READ_ONLY, "/gone", NULL, NULL)->flags = ROOT_OPTIONAL;
	add(&ground, ROOT_MASK_FILE, "/gone", NULL, NULL)->flags = ROOT_OPTIONAL;
	add(&ground, ROOT_SYMLINK, "/link", NULL, "first");
	add(&ground, ROOT_SYMLINK, "/link", NULL, "second");
	add(&ground, ROOT_BIND, "/a/single/file", "secret", NULL);
	must_apply(&ground);
	must(!exists(AT_FDCWD, "/here") && !exists(AT_FDCWD, "/copy"));
	must(exists(AT_FDCWD, "/link"));
	must_contain(AT_FDCWD, "/a/single/file", "secret");
	must_be_refused("/a/single/file", EROFS);
}

static void root_apply_passes_over_what_is_optional(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, pass_over_optional, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rootfs_compile_of_a_whole_plan),
		cmocka_unit_test(rootfs_compile_writes_accounts_and_names),
		cmocka_unit_test(rootfs_compile_makes_a_home_where_there_is_none),
		cmocka_unit_test(rootfs_compile_shows_one_version_2_tree_in_place),
		cmocka_unit_test(root_ops_get_returns_what_was_put),
		cmocka_unit_test(root_ops_get_of_a_bad_message),
		with_world(root_apply_writes_to_the_upper_only),
		with_world(root_apply_resolves_links_inside),
		with_world(root_apply_never_mounts_on_the_host),
		with_world(root_apply_shows_nothing_of_the_host),
		with_world(root_apply_lets_nothing_of_the_host_be_written),
		with_world(root_apply_masks_files),
		with_world(root_apply_restricts_every_mount),
		with_world(root_apply_sets_owners_modes_and_devices),
		with_world(root_apply_does_not_depend_on_the_umask),
		with_world(root_apply_names_source_and_target),
		with_world(root_apply_passes_over_what_is_optional),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
