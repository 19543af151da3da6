/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/rootfs, host half: the list of operations that a plan becomes. */
#include "root_rig.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

static const char *const kind_names[ROOT_OP_KINDS] = {
	[ROOT_DIRECTORY] = "directory",
	[ROOT_SYMLINK] = "symlink",
	[ROOT_FILE] = "file",
	[ROOT_COPY] = "copy",
	[ROOT_NODE] = "node",
	[ROOT_BIND] = "bind",
	[ROOT_OVERLAY] = "overlay",
	[ROOT_TMPFS] = "tmpfs",
	[ROOT_DEVPTS] = "devpts",
	[ROOT_PROC] = "proc",
	[ROOT_MASK_DIRECTORY] = "mask-directory",
	[ROOT_READ_ONLY] = "read-only",
	[ROOT_MASK_FILE] = "mask",
	[ROOT_SCRUB] = "scrub",
	[ROOT_PUT] = "put",
	[ROOT_EDIT] = "edit",
};

/* The host decides about these: links or directories, which time zone, how many processors. */
static bool depends_on_host(const char *target)
{
	static const char *const targets[] = {"/bin",	"/sbin",   "/lib",	    "/lib32",
					      "/lib64", "/libx32", "/etc/localtime"};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (strcmp(target, targets[i]) == 0)
			return true;
	return strncmp(target, "/sys/devices/system/cpu/cpu", 27) == 0;
}

static void describe_op(const struct root_op *op, struct text *to)
{
	static const char letters[] =
		"owxdh"; /* optional, writable, noexec, has devices, host ids */

	text_addf(to, "%s %s ", kind_names[op->kind], op->target);
	for (int i = 0; letters[i]; i++)
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
	"tmpfs /  755 0:0 \"mode=0755,size=1073741824,nr_inodes=262144\"\n"
	"bind /usr  755 0:0 </usr>\n"
	"directory /tmp  1777 0:0\n"
	"directory /run  755 0:0\n"
	"directory /var  755 0:0\n"
	"directory /root  700 0:0\n"
	"directory /run/lock  1777 0:0\n"
	"directory /var/tmp  1777 0:0\n"
	"directory /var/cache  755 0:0\n"
	"directory /var/lib  755 0:0\n"
	"directory /var/log  755 0:0\n"
	"symlink /var/run  0 0:0 \"../run\"\n"
	"symlink /var/lock  0 0:0 \"../run/lock\"\n"
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
	"bind /etc/alternatives ox 644 0:0 </etc/alternatives>\n"
	"bind /etc/ssl/certs ox 644 0:0 </etc/ssl/certs>\n"
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
	"devpts /dev/pts wxd 755 0:5 \"newinstance,ptmxmode=0666,mode=0620,max=256\"\n"
	"tmpfs /dev/shm wx 755 0:0 \"mode=1777,size=268435456,nr_inodes=65536\"\n"
	"tmpfs /sys wx 0 0:0 \"mode=0755,size=1m,nr_inodes=8192\"\n"
	"directory /sys/firmware  555 0:0\n"
	"directory /sys/fs/cgroup  755 0:0\n"
	"bind /sys/devices/system/node oxh 755 0:0 </sys/devices/system/node>\n"
	"bind /sys/kernel/mm/hugepages oxh 755 0:0 </sys/kernel/mm/hugepages>\n"
	"copy /sys/devices/system/cpu/isolated o 444 0:0 </sys/devices/system/cpu/isolated>\n"
	"copy /sys/devices/system/cpu/kernel_max o 444 0:0 </sys/devices/system/cpu/kernel_max>\n"
	"copy /sys/devices/system/cpu/offline o 444 0:0 </sys/devices/system/cpu/offline>\n"
	"copy /sys/devices/system/cpu/online o 444 0:0 </sys/devices/system/cpu/online>\n"
	"copy /sys/devices/system/cpu/possible o 444 0:0 </sys/devices/system/cpu/possible>\n"
	"copy /sys/devices/system/cpu/present o 444 0:0 </sys/devices/system/cpu/present>\n"
	"copy /sys/kernel/mm/transparent_hugepage/defrag o 444 0:0"
	" </sys/kernel/mm/transparent_hugepage/defrag>\n"
	"copy /sys/kernel/mm/transparent_hugepage/enabled o 444 0:0"
	" </sys/kernel/mm/transparent_hugepage/enabled>\n"
	"copy /sys/kernel/mm/transparent_hugepage/hpage_pmd_size o 444 0:0"
	" </sys/kernel/mm/transparent_hugepage/hpage_pmd_size>\n"
	"copy /sys/kernel/mm/transparent_hugepage/shmem_enabled o 444 0:0"
	" </sys/kernel/mm/transparent_hugepage/shmem_enabled>\n"
	"bind /sys/fs/cgroup/memory xh 755 0:0 </host/memory/id/server>\n"
	"bind /sys/fs/cgroup/pids xh 755 0:0 </host/pids/id/server>\n"
	"proc /proc wx 0 0:0\n"
	"read-only /proc/sys ox 0 0:0\n"
	"mask-directory /proc/acpi ox 0 0:0 \"/sys/firmware\"\n"
	"mask-directory /proc/asound ox 0 0:0 \"/sys/firmware\"\n"
	"mask-directory /proc/scsi ox 0 0:0 \"/sys/firmware\"\n"
	"mask /proc/config.gz owxd 0 0:0\n"
	"mask /proc/interrupts owxd 0 0:0\n"
	"mask /proc/kallsyms owxd 0 0:0\n"
	"mask /proc/keys owxd 0 0:0\n"
	"mask /proc/latency_stats owxd 0 0:0\n"
	"mask /proc/locks owxd 0 0:0\n"
	"mask /proc/sched_debug owxd 0 0:0\n"
	"read-only /proc/bus ox 0 0:0\n"
	"read-only /proc/fs ox 0 0:0\n"
	"read-only /proc/irq ox 0 0:0\n"
	"read-only /proc/sysrq-trigger ox 0 0:0\n"
	"mask /proc/allocinfo owxd 0 0:0\n"
	"mask /proc/key-users owxd 0 0:0\n"
	"mask /proc/kpagecgroup owxd 0 0:0\n"
	"mask /proc/kpagecount owxd 0 0:0\n"
	"mask /proc/kpageflags owxd 0 0:0\n"
	"mask /proc/pagetypeinfo owxd 0 0:0\n"
	"mask /proc/slabinfo owxd 0 0:0\n"
	"mask /proc/timer_list owxd 0 0:0\n"
	"mask /proc/vmallocinfo owxd 0 0:0\n"
	"read-only /sys x 0 0:0\n"
	"read-only /dev xd 0 0:0\n"
	"bind /srv/data  755 0:0 </srv/data>\n"
	"overlay /opt/a w 755 0:0 </opt/a> \"/state/layer/0\"\n"
	"overlay /opt/b c w 755 0:0 </opt/b c> \"/state/layer/1\"\n";

static const struct rootfs_view two_views[] = {
	{(char *)"/host/memory/id/server", (char *)"/sys/fs/cgroup/memory"},
	{(char *)"/host/pids/id/server", (char *)"/sys/fs/cgroup/pids"},
};

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
	struct root_ops ops = rig_compile(&input);
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

	return rig_compile(&input);
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

/* Names and numbers that are taken stay with who has them. */
static void rootfs_compile_names_groups_and_owners(void **state)
{
	static const struct rootfs_group groups[] = {
		{"staff", 2345}, {"printers", 7}, {"tty", 5}, {"root", 9}, {"other", 7}};
	static const struct rootfs_account owners[] = {{"tomcat", "tomcat", "/opt", 998, 998},
						       {"alice", "staff", "/x", 1234, 2345},
						       {"nobody", "nogroup", "/", 65534, 65534},
						       {"twin", "printers", "/", 998, 7}};
	struct plan plan = {0};
	struct rootfs_input input = {
		.plan = &plan,
		.hostname = "0123abcd",
		.account = &alice,
		.groups = groups,
		.n_groups = ARRAY_SIZE(groups),
		.owners = owners,
		.n_owners = ARRAY_SIZE(owners),
		.layers = "/l",
	};
	struct root_ops ops = rig_compile(&input);

	(void)state;
	assert_string_equal(find_op(&ops, ROOT_FILE, "/etc/passwd")->text,
			    "root:x:0:0:root:/root:/bin/sh\n"
			    "alice:x:1234:2345::/home/alice:/bin/sh\n"
			    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
			    "tomcat:x:998:998::/nonexistent:/usr/sbin/nologin\n");
	assert_string_equal(find_op(&ops, ROOT_FILE, "/etc/group")->text,
			    "root:x:0:\ntty:x:5:\nstaff:x:2345:\nprinters:x:7:alice\n"
			    "nogroup:x:65534:\ntomcat:x:998:\n");
	root_ops_deinit(&ops);
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
	struct root_ops ops = rig_compile(&input);

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rootfs_compile_of_a_whole_plan),
		cmocka_unit_test(rootfs_compile_writes_accounts_and_names),
		cmocka_unit_test(rootfs_compile_names_groups_and_owners),
		cmocka_unit_test(rootfs_compile_makes_a_home_where_there_is_none),
		cmocka_unit_test(rootfs_compile_shows_one_version_2_tree_in_place),
		cmocka_unit_test(root_ops_get_returns_what_was_put),
		cmocka_unit_test(root_ops_get_of_a_bad_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
