/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the inside does not see or cannot write of the kernel's own files, and that a mask is put
 * on nothing but what was made for this root.
 */
#include "root_rig.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char *const hidden_files[] = {
	"/proc/allocinfo",   "/proc/config.gz",	   "/proc/interrupts", "/proc/kallsyms",
	"/proc/kcore",	     "/proc/keys",	   "/proc/locks",      "/proc/kmsg",
	"/proc/kpagecgroup", "/proc/kpagecount",   "/proc/kpageflags", "/proc/latency_stats",
	"/proc/sched_debug", "/proc/pagetypeinfo", "/proc/slabinfo",   "/proc/timer_list",
	"/proc/timer_stats", "/proc/vmallocinfo",
};

static const char *const hidden_directories[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/scsi",
	"/sys/firmware",
	"/sys/kernel/debug",
	"/sys/kernel/security",
	"/sys/kernel/tracing",
	"/sys/fs/bpf",
	"/sys/fs/selinux",
	"/sys/dev/block",
	"/sys/devices/virtual/powercap",
	"/sys/devices/system/cpu/cpu0/thermal_throttle",
};

static const char *const locked[] = {
	"/proc/sys/kernel/hostname",
	"/proc/sys/vm/drop_caches",
	"/proc/irq/default_smp_affinity",
	"/proc/sysrq-trigger",
	"/proc/fs/new",
	"/proc/bus/new",
	"/sys/firmware/new",
	"/sys/fs/cgroup/new",
	"/dev/new",
};

/* Root without capabilities: only the masks and the owners of files are in the way. */
static void look_for_hidden(void)
{
	static const char *const nothing[] = {NULL};

	for (size_t i = 0; i < ARRAY_SIZE(hidden_files); i++) {
		cleanup_free char *data = NULL;

		if (file_read(AT_FDCWD, hidden_files[i], 1 << 24, &data, NULL) == 0 && *data) {
			dprintf(2, "'%s' can be read\n", hidden_files[i]);
			must(false);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(hidden_directories); i++)
		must_list_only(hidden_directories[i], nothing);
	for (size_t i = 0; i < ARRAY_SIZE(locked); i++)
		if (open(locked[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0) {
			dprintf(2, "'%s' can be written\n", locked[i]);
			must(false);
		}
}

static void look_as_root_of_the_host(const void *arg)
{
	struct ground ground = ground_whole(arg);

	ground_apply(&ground);
	drop_capabilities();
	look_for_hidden();
	/* with ids of its own an instance finds its own there */
	must(access("/proc/key-users", F_OK) < 0 ||
	     file_poke(AT_FDCWD, "/proc/key-users", "") == 0);
}

static void root_apply_hides_what_root_without_capabilities_could_see(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, look_as_root_of_the_host, *state);
}

static void look_as_root_inside(const void *arg)
{
	const struct scene *scene = arg;
	struct ground ground = ground_owned(scene);

	ground_compile(&ground);
	ground_apply_and_enter(&ground);
	look_for_hidden();
}

static void root_apply_hides_less_where_owners_hide_it(void **state)
{
	need_root();
	if (getenv("UNIT_REFUSE"))
		skip(); /* no ids of its own then */
	run_owned(look_as_root_inside, *state);
}

/* Not every kernel has the files that are masked for every instance: mask one that all have. */
static void look_at_masked(const void *arg)
{
	static const char *const nothing[] = {NULL};
	struct ground ground = ground_whole(arg);
	struct root_op *op;

	ground_add(&ground, ROOT_MASK_FILE, "/proc/version", NULL, NULL)->flags =
		ROOT_WRITABLE | ROOT_HAS_DEVICES;
	op = ground_add(&ground, ROOT_MASK_DIRECTORY, "/proc/tty", NULL, "/sys/firmware");
	op->flags = ROOT_NOEXEC;
	ground_apply(&ground);
	must_contain(AT_FDCWD, "/proc/version", "");
	must(file_poke(AT_FDCWD, "/proc/version", "x") == 0);
	must_list_only("/proc/tty", nothing);
	must_be_refused("/proc/tty/new", EROFS);
}

static void root_apply_masks_files_and_directories(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, look_at_masked, *state);
}

/* What servers read to choose the size of their pools. */
static void look_at_processors(const void *arg)
{
	static const char *const same[] = {
		"sys/devices/system/cpu/online",
		"sys/devices/system/cpu/possible",
		"sys/kernel/mm/transparent_hugepage/enabled",
	};
	struct ground ground = ground_whole(arg);

	ground_apply(&ground);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		cleanup_free char *host = NULL, *path = xasprintf("/%s", same[i]);

		if (file_read(ground.host, same[i], 4096, &host, NULL) == 0)
			must_contain(AT_FDCWD, path, host);
	}
	must(sysconf(_SC_NPROCESSORS_CONF) >= sysconf(_SC_NPROCESSORS_ONLN));
	must(exists(AT_FDCWD, "/sys/devices/system/cpu/cpu0"));
	must(!exists(AT_FDCWD, "/sys/block") && !exists(AT_FDCWD, "/sys/module"));
}

static void root_apply_shows_processors_and_page_sizes(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, look_at_processors, *state);
}

/* One operation that must not be done, after what makes it wrong. */
struct wrong {
	struct {
		enum root_op_kind kind;
		const char *target, *text;
	} ops[4];
	int code;
	const char *words;
};

static const struct wrong wrongs[] = {
	/* a link, a mount, and what lies beside what was made */
	{{{ROOT_TMPFS, "/t", NULL},
	  {ROOT_SYMLINK, "/t/link", "/opt/app/gone"},
	  {ROOT_READ_ONLY, "/t/link", NULL}},
	 -ELOOP,
	 "'/t/link'"},
	{{{ROOT_TMPFS, "/t", NULL},
	  {ROOT_BIND, "/t/shown", NULL},
	  {ROOT_READ_ONLY, "/t/shown/file", NULL}},
	 -EXDEV,
	 "'/t/shown/file'"},
	{{{ROOT_TMPFS, "/t", NULL}, {ROOT_DIRECTORY, "/tt", NULL}, {ROOT_READ_ONLY, "/tt", NULL}},
	 -EXDEV,
	 "'/tt'"},
	{{{ROOT_TMPFS, "/t", NULL}, {ROOT_READ_ONLY, "/t/../etc", NULL}}, -EXDEV, "'/t/../etc'"},
	/* masks of the wrong kind */
	{{{ROOT_TMPFS, "/dev", NULL},
	  {ROOT_NODE, "/dev/null", "1:5"},
	  {ROOT_MASK_FILE, "/dev/null", NULL}},
	 -EIO,
	 "not what can mask"},
	{{{ROOT_TMPFS, "/dev", NULL},
	  {ROOT_FILE, "/dev/null", "secret"},
	  {ROOT_MASK_FILE, "/dev/null", NULL}},
	 -EIO,
	 "not what can mask"},
	{{{ROOT_TMPFS, "/dev", NULL},
	  {ROOT_SYMLINK, "/dev/null", "/opt/app/gone"},
	  {ROOT_MASK_FILE, "/dev/null", NULL}},
	 -ELOOP,
	 "to mask '/dev/null' with"},
	{{{ROOT_TMPFS, "/dev", NULL},
	  {ROOT_FILE, "/dev/file", "secret"},
	  {ROOT_MASK_DIRECTORY, "/dev", "/dev/file"}},
	 -EIO,
	 "not what can mask"},
	/* what was made is covered later */
	{{{ROOT_PROC, "/proc", NULL}, {ROOT_BIND, "/proc", NULL}}, -EIO, "shows something else"},
	{{{ROOT_TMPFS, "/t", NULL}, {ROOT_TMPFS, "/t", NULL}}, -EIO, "shows something else"},
};

struct attempt {
	const struct world *world;
	const struct wrong *wrong;
};

static void apply_wrong(const void *arg)
{
	const struct attempt *attempt = arg;
	const struct wrong *wrong = attempt->wrong;
	struct ground ground = ground_make(attempt->world);
	struct error err = {0};
	int r;

	ground_add_overlay(&ground);
	for (size_t i = 0; i < ARRAY_SIZE(wrong->ops) && wrong->ops[i].target; i++) {
		bool shows = wrong->ops[i].kind == ROOT_BIND;

		ground_add(&ground, wrong->ops[i].kind, wrong->ops[i].target,
			   shows ? "shown" : NULL, wrong->ops[i].text)
			->flags = ROOT_WRITABLE;
	}
	r = root_apply(&ground.ops, ground.owner, &err);
	if (r != wrong->code)
		dprintf(2, "%d, not %d: %s\n", r, wrong->code, err.text);
	must_fail(r, &err, wrong->words);
	must(r == wrong->code);
}

static void root_apply_covers_only_what_it_made(void **state)
{
	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		struct attempt attempt = {*state, &wrongs[i]};

		run_in_child(OWN_NAMESPACES, apply_wrong, &attempt);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(root_apply_hides_what_root_without_capabilities_could_see),
		with_world(root_apply_hides_less_where_owners_hide_it),
		with_world(root_apply_masks_files_and_directories),
		with_world(root_apply_shows_processors_and_page_sizes),
		with_world(root_apply_covers_only_what_it_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
