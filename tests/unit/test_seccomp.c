/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/confine: what the compiled filters answer to every call by its number, against the golden
 * tables, and to the arguments that they look at. The programs are run by a small interpreter of
 * the instructions that seccomp(2) knows. GOLDEN=write makes the tables anew.
 */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "confine/calls.h"
#include "confine/confine.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/in6.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define X32 0x40000000

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t value;

	assert_true(offset + sizeof(value) <= sizeof(*data));
	memcpy(&value, (const char *)data + offset, sizeof(value));
	return value;
}

static bool holds(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGT:
		return a > i->k;
	case BPF_JGE:
		return a >= i->k;
	case BPF_JSET:
		return a & i->k;
	default:
		fail_msg("an unknown jump %#x", i->code);
		return false;
	}
}

/* Returns the answer of the program, SECCOMP_RET_... */
static uint32_t interpret(const struct filter *filter, const struct seccomp_data *data)
{
	const struct sock_filter *program = filter->program;
	size_t n = filter->size / sizeof(*program);
	uint32_t a = 0;

	for (size_t at = 0; at < n; at++) {
		const struct sock_filter *i = &program[at];

		if (BPF_CLASS(i->code) == BPF_RET)
			return i->k;
		if (i->code == (BPF_LD | BPF_W | BPF_ABS))
			a = load(data, i->k);
		else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= i->k;
		else if (i->code == (BPF_JMP | BPF_JA))
			at += i->k;
		else if (BPF_CLASS(i->code) == BPF_JMP)
			at += holds(i, a) ? i->jt : i->jf;
		else
			fail_msg("an unknown instruction %#x", i->code);
	}
	fail_msg("the program has no end");
	return 0;
}

static const char *answer(const struct filter *filter, const struct seccomp_data *data)
{
	uint32_t answer = interpret(filter, data);

	if (answer == SECCOMP_RET_ALLOW)
		return "allow";
	if (answer == (SECCOMP_RET_ERRNO | EPERM))
		return "EPERM";
	if (answer == (SECCOMP_RET_ERRNO | ENOSYS))
		return "ENOSYS";
	if (answer == (SECCOMP_RET_ERRNO | EINVAL))
		return "EINVAL";
	if (answer == SECCOMP_RET_ERRNO)
		return "done";
	return "another";
}

static struct filter compile(enum filter_kind kind, bool abi32)
{
	struct filter filter = {0};
	struct error err = {0};

	if (filter_compile(kind, abi32, &filter, &err) < 0)
		fail_msg("%s", err.text);
	return filter;
}

static struct seccomp_data call(int number)
{
	return (struct seccomp_data){.nr = number, .arch = AUDIT_ARCH_X86_64};
}

/* With all arguments 0: what is "checked" may be answered otherwise with others. */
static char *table_of(enum filter_kind kind)
{
	struct filter filter = compile(kind, false);
	struct text table = {0};
	char buffer[64];

	for (int number = 0; number <= CALLS_NEWEST + 3; number++) {
		struct seccomp_data data = call(number);
		const char *name = filter_call_name(number, buffer);

		text_addf(&table, "%d %s %s\n", number, name && number < 424 ? name : "-",
			  answer(&filter, &data));
	}
	filter_deinit(&filter);
	return text_take(&table);
}

static void filter_compile_matches_golden_tables(void **state)
{
	static const char *const names[FILTER_KINDS] = {"default", "strict", "forwarder"};

	(void)state;
	for (enum filter_kind kind = 0; kind < FILTER_KINDS; kind++) {
		cleanup_free char *path = xasprintf("%s/golden/seccomp-%s", TESTS_DIR, names[kind]);
		cleanup_free char *table = table_of(kind), *golden = NULL;

		if (getenv("GOLDEN"))
			assert_int_equal(file_write(AT_FDCWD, path, table, 0644), 0);
		assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &golden, NULL), 0);
		assert_string_equal(table, golden);
	}
}

struct argument_case {
	int number;
	uint64_t args[6];
	const char *answer;
};

#define HIGH 0x100000000ULL /* what the kernel does not look at */

static const struct argument_case cases[] = {
	{__NR_socket, {AF_UNIX, SOCK_STREAM, 0}, "allow"},
	{__NR_socket, {AF_INET, SOCK_STREAM, 0}, "allow"},
	{__NR_socket, {AF_INET6 | HIGH, SOCK_DGRAM, 0}, "allow"},
	{__NR_socket, {AF_NETLINK, SOCK_RAW, 0}, "allow"},
	{__NR_socket, {AF_NETLINK, SOCK_RAW, 12}, "EPERM"},
	{__NR_socket, {AF_NETLINK, SOCK_RAW, 12 | HIGH}, "EPERM"},
	{__NR_socket, {AF_ALG, SOCK_SEQPACKET, 0}, "EPERM"},
	{__NR_socket, {AF_PACKET, SOCK_RAW, 0}, "EPERM"},
	{__NR_socket, {AF_VSOCK, SOCK_STREAM, 0}, "EPERM"},
	{__NR_socket, {AF_KEY, SOCK_RAW, 2}, "EPERM"},
	{__NR_socket, {UINT32_MAX, 0, 0}, "EPERM"},
	{__NR_socketpair, {AF_UNIX, SOCK_STREAM, 0}, "allow"},
	{__NR_socketpair, {AF_TIPC, SOCK_STREAM, 0}, "EPERM"},
	{__NR_clone, {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD}, "allow"},
	{__NR_clone, {17}, "allow"},
	{__NR_clone, {CLONE_NEWUSER}, "EPERM"},
	{__NR_clone, {CLONE_NEWUSER | HIGH}, "EPERM"},
	{__NR_clone, {CLONE_NEWNS | CLONE_VM}, "EPERM"},
	{__NR_clone, {CLONE_NEWNET}, "EPERM"},
	{__NR_clone, {CLONE_NEWPID}, "EPERM"},
	{__NR_clone, {CLONE_NEWCGROUP}, "EPERM"},
	{__NR_clone3, {0}, "ENOSYS"},
	{__NR_personality, {0}, "allow"},
	{__NR_personality, {0xffffffff}, "allow"},
	{__NR_personality, {UINT64_MAX}, "allow"},
	{__NR_personality, {0x0400000}, "EPERM"},
	{__NR_personality, {8}, "EPERM"},
	{__NR_ioctl, {0, TIOCGWINSZ}, "allow"},
	{__NR_ioctl, {0, FIONREAD}, "allow"},
	{__NR_ioctl, {0, TIOCSTI}, "EPERM"},
	{__NR_ioctl, {0, TIOCSTI | HIGH}, "EPERM"},
	{__NR_ioctl, {0, TIOCLINUX}, "EPERM"},
	{__NR_ioctl, {0, TIOCLINUX | 0xdead00000000ULL}, "EPERM"},
	{__NR_ioctl, {0, TIOCSETD}, "EPERM"},
	{__NR_ioctl, {0, TIOCCONS}, "EPERM"},
	{__NR_ioctl, {0, FS_IOC_FSSETXATTR}, "EPERM"},
	{__NR_ioctl, {0, FS_IOC_FSGETXATTR}, "allow"},
	{__NR_fcntl, {0, F_SETLEASE, F_WRLCK}, "EINVAL"},
	{__NR_fcntl, {0, F_SETLEASE | HIGH, F_WRLCK}, "EINVAL"},
	{__NR_fcntl, {0, F_GETLEASE}, "allow"},
	{__NR_fcntl, {0, F_NOTIFY, DN_ACCESS}, "EINVAL"},
	{__NR_fcntl, {0, F_DUPFD_CLOEXEC}, "allow"},
	{__NR_fcntl, {0, F_SETPIPE_SZ, 4096}, "allow"},
	{__NR_fcntl, {0, F_ADD_SEALS, 0}, "allow"},
	{__NR_fcntl, {0, F_OFD_SETLKW, 0}, "allow"},
	{__NR_fcntl, {0, F_SETOWN, 1}, "allow"},
	{__NR_fcntl, {0, F_GET_RW_HINT}, "allow"},
	{__NR_fcntl, {0, F_SET_RW_HINT}, "EINVAL"},
	{__NR_fcntl, {0, F_SET_FILE_RW_HINT | HIGH}, "EINVAL"},
	{__NR_fcntl, {0, 1040 /* F_SETDELEG */}, "EINVAL"},
	{__NR_fcntl, {0, UINT32_MAX}, "EINVAL"},
	{__NR_fadvise64, {0, 0, 0, POSIX_FADV_DONTNEED}, "done"},
	{__NR_fadvise64, {0, 0, 0, POSIX_FADV_DONTNEED | HIGH}, "done"},
	{__NR_fadvise64, {0, 0, 0, POSIX_FADV_WILLNEED}, "allow"},
	{__NR_fadvise64, {0, 4, 4, POSIX_FADV_SEQUENTIAL}, "allow"},
	{__NR_setsockopt, {0, IPPROTO_IPV6, IPV6_FLOWLABEL_MGR}, "EPERM"},
	{__NR_setsockopt, {0, IPPROTO_IPV6 | HIGH, IPV6_FLOWLABEL_MGR | HIGH}, "EPERM"},
	{__NR_setsockopt, {0, IPPROTO_IPV6, IPV6_V6ONLY}, "allow"},
	{__NR_setsockopt, {0, SOL_SOCKET, IPV6_FLOWLABEL_MGR}, "allow"},
	{__NR_setsockopt, {IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, 0}, "allow"},
	{__NR_mknodat, {0, 0, S_IFIFO | 0600}, "allow"},
	{__NR_mknodat, {0, 0, S_IFCHR | 0600}, "EPERM"},
	{__NR_mknodat, {0, 0, S_IFBLK | 0600}, "EPERM"},
	{__NR_mknod, {0, S_IFSOCK | 0600}, "allow"},
	{__NR_mknod, {0, S_IFCHR | 0600}, "EPERM"},
	{100000, {0}, "ENOSYS"},
	{X32 - 1, {0}, "ENOSYS"},
};

static void check_case(const struct filter *filter, const struct argument_case *c)
{
	struct seccomp_data data = call(c->number);

	memcpy(data.args, c->args, sizeof(c->args));
	if (strcmp(answer(filter, &data), c->answer) != 0)
		fail_msg("call %d (%#jx, %#jx, %#jx): %s, not %s", c->number, (uintmax_t)c->args[0],
			 (uintmax_t)c->args[1], (uintmax_t)c->args[2], answer(filter, &data),
			 c->answer);
}

static void filter_compile_looks_at_arguments(void **state)
{
	static const enum filter_kind kinds[] = {FILTER_DEFAULT, FILTER_STRICT};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct filter filter = compile(kinds[i], false);

		for (size_t j = 0; j < ARRAY_SIZE(cases); j++)
			check_case(&filter, &cases[j]);
		filter_deinit(&filter);
	}
}

/* All forwarders have one id: the kernel would let them signal and limit one another. */
static void filter_compile_of_the_forwarder_leaves_others_alone(void **state)
{
	static const struct argument_case forwarder[] = {
		{__NR_kill, {1, SIGKILL}, "EPERM"},
		{__NR_tgkill, {1, 1, SIGKILL}, "EPERM"},
		{__NR_fcntl, {0, F_SETFL, O_NONBLOCK}, "allow"},
		{__NR_fcntl, {0, F_SETOWN, 1}, "EPERM"},
		{__NR_fcntl, {0, F_SETOWN_EX, 1}, "EPERM"},
		{__NR_fcntl, {0, F_SETSIG, SIGKILL}, "EPERM"},
		{__NR_prlimit64, {0, RLIMIT_NOFILE}, "allow"},
		{__NR_prlimit64, {1, RLIMIT_NOFILE}, "EPERM"},
		{__NR_ioctl, {0, FIOSETOWN}, "EPERM"},
		{__NR_ioctl, {0, FIONREAD}, "allow"},
		{__NR_openat, {0}, "EPERM"},
	};
	struct filter filter = compile(FILTER_FORWARDER, false);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forwarder); i++)
		check_case(&filter, &forwarder[i]);
	filter_deinit(&filter);
}

/* No number of another ABI passes, whatever it means there. */
static void filter_compile_knows_one_abi(void **state)
{
	struct filter filter = compile(FILTER_DEFAULT, false);

	(void)state;
	for (int number = 0; number < 600; number++) {
		struct seccomp_data x32 = call(X32 | number), i386 = call(number);

		i386.arch = AUDIT_ARCH_I386;
		assert_string_not_equal(answer(&filter, &x32), "allow");
		assert_string_not_equal(answer(&filter, &i386), "allow");
	}
	filter_deinit(&filter);
}

#define I386_GETPID 20
#define I386_MOUNT 21
#define I386_IOCTL 54
#define I386_FCNTL 55
#define I386_CLONE 120
#define I386_FCNTL64 221
#define I386_FADVISE64 250
#define I386_FADVISE64_64 272
#define I386_UNSHARE 310
#define I386_SETSOCKOPT 366

static void filter_compile_abi32(void **state)
{
	static const struct argument_case i386[] = {
		{I386_GETPID, {0}, "allow"},
		{I386_MOUNT, {0}, "EPERM"},
		{I386_UNSHARE, {CLONE_NEWUSER}, "EPERM"},
		{I386_CLONE, {17}, "allow"},
		{I386_CLONE, {CLONE_NEWUSER}, "EPERM"},
		{I386_IOCTL, {0, TIOCSTI}, "EPERM"},
		{I386_IOCTL, {0, TIOCGWINSZ}, "allow"},
		{I386_FCNTL, {0, F_SETLEASE}, "EINVAL"},
		{I386_FCNTL, {0, F_GETFL}, "allow"},
		{I386_FCNTL64, {0, F_SETLEASE}, "EINVAL"},
		{I386_FCNTL64, {0, F_GETFL}, "allow"},
		{I386_FADVISE64, {0, 0, 0, 0, POSIX_FADV_DONTNEED}, "done"},
		{I386_FADVISE64, {0, 0, 0, POSIX_FADV_DONTNEED, 0}, "allow"},
		{I386_FADVISE64_64, {0, 0, 0, 0, 0, POSIX_FADV_DONTNEED}, "done"},
		{I386_FADVISE64_64, {0, 0, 0, 0, POSIX_FADV_DONTNEED, 0}, "allow"},
		{I386_SETSOCKOPT, {0, IPPROTO_IPV6, IPV6_FLOWLABEL_MGR}, "EPERM"},
		{I386_SETSOCKOPT, {0, IPPROTO_IPV6, IPV6_V6ONLY}, "allow"},
		{1000, {0}, "ENOSYS"},
	};
	struct filter filter = compile(FILTER_DEFAULT, true);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(i386); i++) {
		struct seccomp_data data = call(i386[i].number);

		data.arch = AUDIT_ARCH_I386;
		memcpy(data.args, i386[i].args, sizeof(i386[i].args));
		assert_string_equal(answer(&filter, &data), i386[i].answer);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_case(&filter, &cases[i]);
	filter_deinit(&filter);
}

static bool same(const struct filter *a, const struct filter *b)
{
	return a->size == b->size && memcmp(a->program, b->program, a->size) == 0;
}

static ino_t inode_of(const struct world *world)
{
	struct stat st;

	return fstatat(world->dir, "default", &st, 0) < 0 ? 0 : st.st_ino;
}

static void must_load(const struct world *world, const struct filter *expected)
{
	struct filter filter = {0};
	struct error err = {0};

	if (filter_load(world->dir, FILTER_DEFAULT, false, &filter, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(same(&filter, expected));
	filter_deinit(&filter);
}

static void filter_load_keeps_and_trusts_only_its_own(void **state)
{
	const struct world *world = *state;
	struct filter expected = compile(FILTER_DEFAULT, false);
	ino_t first;
	int fd;

	need_root();
	must_load(world, &expected);
	first = inode_of(world);
	assert_true(first != 0);
	must_load(world, &expected);
	assert_true(inode_of(world) == first);
	/* damaged */
	fd = openat(world->dir, "default", O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "\x06\0\0\0\0\0\xff\x7f", 8, 100), 8);
	close(fd);
	must_load(world, &expected);
	assert_true(inode_of(world) != first);
	/* anybody could have written it */
	first = inode_of(world);
	assert_int_equal(fchmodat(world->dir, "default", 0622, 0), 0);
	must_load(world, &expected);
	assert_true(inode_of(world) != first);
	first = inode_of(world);
	assert_int_equal(fchownat(world->dir, "default", 1234, 0, 0), 0);
	must_load(world, &expected);
	assert_true(inode_of(world) != first);
	/* empty, as after a full disk; or not a file at all */
	assert_int_equal(file_write(world->dir, "default", "", 0600), 0);
	must_load(world, &expected);
	assert_int_equal(unlinkat(world->dir, "default", 0), 0);
	assert_int_equal(symlinkat("/dev/zero", world->dir, "default"), 0);
	must_load(world, &expected);
	filter_deinit(&expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filter_compile_matches_golden_tables),
		cmocka_unit_test(filter_compile_looks_at_arguments),
		cmocka_unit_test(filter_compile_of_the_forwarder_leaves_others_alone),
		cmocka_unit_test(filter_compile_knows_one_abi),
		cmocka_unit_test(filter_compile_abi32),
		with_world(filter_load_keeps_and_trusts_only_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
