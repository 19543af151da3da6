/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/explain: denied calls of a confined process are answered, counted and named. */
#include "world.h"
#include "base/cleanup.h"
#include "confine/confine.h"
#include "confine/inside.h"
#include "instance/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __x86_64__

struct explained {
	struct filter filter;
	int socket;
};

static bool fails_with(int errnum, long number, long argument)
{
	return syscall(number, argument, 0, 0) < 0 && errno == errnum;
}

static void make_calls(const void *arg)
{
	const struct explained *explained = arg;
	struct confinement confinement = {
		.uid = 1234,
		.gid = 1234,
		.filter = explained->filter.program,
		.filter_size = explained->filter.size,
		.explained = true,
		.explainer = explained->socket,
	};
	struct error err = {0};

	must_succeed(confine_apply(&confinement, &err), &err);
	must(fails_with(EPERM, SYS_socket, AF_ALG) && fails_with(EPERM, SYS_socket, AF_ALG));
	must(fails_with(EPERM, SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS));
	must(fails_with(ENOSYS, SYS_clone3, 0));
	must(fails_with(ENOSYS, 1000, 0));
	must(syscall(SYS_getppid) > 0);
	/* done to no effect, which is no refusal */
	must(posix_fadvise(-1, 0, 0, POSIX_FADV_DONTNEED) == 0);
	must(posix_fadvise(-1, 0, 0, POSIX_FADV_NORMAL) == EBADF);
}

static void assert_call(const struct denied_call *call, unsigned long count, int errnum,
			const char *what)
{
	assert_string_equal(call->what, what);
	assert_int_equal(call->errnum, errnum);
	assert_int_equal(call->count, count);
}

static void explain_calls_counts_what_is_denied(void **state)
{
	struct explained explained;
	struct denied_calls calls;
	struct error err;
	int pair[2];
	pid_t pid;

	(void)state;
	need_root();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_succeeds(filter_compile(FILTER_STRICT, false, &explained.filter, &err), &err);
	explained.socket = pair[1];
	pid = start_child(make_calls, &explained);
	close(pair[1]);
	assert_succeeds(explain_calls(pair[0], &calls, &err), &err);
	assert_int_equal(wait_status(pid), 0);
	assert_true(calls.heard);
	assert_int_equal(calls.n, 4);
	assert_call(&calls.list[0], 2, EPERM, "socket(AF_ALG)");
	assert_call(&calls.list[1], 1, EPERM, "unshare(CLONE_NEWUSER|CLONE_NEWNS)");
	assert_call(&calls.list[2], 1, ENOSYS, "clone3()");
	assert_call(&calls.list[3], 1, ENOSYS, "call 1000, younger than the list");
	denied_calls_deinit(&calls);
	filter_deinit(&explained.filter);
	close(pair[0]);
}

/* As in a container whose engine watches system calls. */
static void make_calls_watched(const void *arg)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	const struct sock_fprog program = {ARRAY_SIZE(allow), allow};
	const struct explained *explained = arg;
	struct confinement confinement = {
		.filter = explained->filter.program,
		.filter_size = explained->filter.size,
		.explained = true,
		.explainer = explained->socket,
	};
	struct error err = {0};

	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		     &program) >= 0);
	must(confine_apply(&confinement, &err) == -EBUSY);
	must(strstr(err.text, "something around stint"));
}

static void confine_apply_beside_another_watcher(void **state)
{
	struct explained explained = {.socket = -1};
	struct error err;

	(void)state;
	need_root();
	assert_succeeds(filter_compile(FILTER_STRICT, false, &explained.filter, &err), &err);
	assert_int_equal(wait_status(start_child(make_calls_watched, &explained)), 0);
	filter_deinit(&explained.filter);
}

static void explain_calls_of_no_command(void **state)
{
	struct denied_calls calls;
	struct error err;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	close(pair[1]);
	assert_succeeds(explain_calls(pair[0], &calls, &err), &err);
	assert_false(calls.heard);
	assert_int_equal(calls.n, 0);
	close(pair[0]);
}

/* The upper half of an argument changes nothing. */
static void filter_explain_names_what_decides(void **state)
{
	static const struct {
		struct seccomp_data data;
		const char *words;
	} cases[] = {
		{{SYS_socket, AUDIT_ARCH_X86_64, 0, {AF_VSOCK | 1ULL << 32}}, "socket(AF_VSOCK)"},
		{{SYS_socket, AUDIT_ARCH_X86_64, 0, {99}}, "socket(0x63)"},
		{{SYS_socket, AUDIT_ARCH_X86_64, 0, {AF_NETLINK, 3, 9}},
		 "socket(AF_NETLINK, protocol 9)"},
		{{SYS_ioctl, AUDIT_ARCH_X86_64, 0, {0, 0x5412 | 1ULL << 32}}, "ioctl(TIOCSTI)"},
		{{SYS_fcntl, AUDIT_ARCH_X86_64, 0, {0, F_SETLEASE}}, "fcntl(F_SETLEASE)"},
		{{SYS_fcntl, AUDIT_ARCH_X86_64, 0, {0, 1040}}, "fcntl(0x410)"},
		{{SYS_setsockopt, AUDIT_ARCH_X86_64, 0, {0, 41, 32}},
		 "setsockopt(level 41, option 32)"},
		{{SYS_clone, AUDIT_ARCH_X86_64, 0, {CLONE_NEWNET | 17}}, "clone(CLONE_NEWNET)"},
		{{SYS_personality, AUDIT_ARCH_X86_64, 0, {0x40000}}, "personality(0x40000)"},
		{{0x40000000 + 39, AUDIT_ARCH_X86_64, 0, {0}}, "x32 call 39"},
		{{20, AUDIT_ARCH_I386, 0, {0}}, "call 20 of another architecture (0x40000003)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_text struct text text = {0};

		filter_explain(&cases[i].data, &text);
		assert_string_equal(text.data, cases[i].words);
	}
}

/* Two columns of a table of 80 characters have it; every call has one. */
static void filter_reason_of_every_call(void **state)
{
	(void)state;
	for (int number = 0; number < 1000; number++) {
		const struct seccomp_data data = {number, AUDIT_ARCH_X86_64, 0, {0}};

		assert_in_range(strlen(filter_reason(&data)), 10, 66);
	}
}

static void filter_reason_says_why(void **state)
{
	static const struct {
		struct seccomp_data data;
		const char *words;
	} cases[] = {
		{{SYS_ptrace, AUDIT_ARCH_X86_64, 0, {0}}, "another one"},
		{{SYS_mount, AUDIT_ARCH_X86_64, 0, {0}}, "mounts of an instance"},
		{{SYS_setuid, AUDIT_ARCH_X86_64, 0, {0}}, "'strict' is without it"},
		{{SYS_tuxcall, AUDIT_ARCH_X86_64, 0, {0}}, "no server needed it"},
		{{1000, AUDIT_ARCH_X86_64, 0, {0}}, "unknown when the list was made"},
		{{SYS_ptrace, AUDIT_ARCH_I386, 0, {0}}, "abi32"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_non_null(strstr(filter_reason(&cases[i].data), cases[i].words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filter_reason_of_every_call),
		cmocka_unit_test(filter_reason_says_why),
		cmocka_unit_test(explain_calls_counts_what_is_denied),
		cmocka_unit_test(explain_calls_of_no_command),
		cmocka_unit_test(confine_apply_beside_another_watcher),
		cmocka_unit_test(filter_explain_names_what_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
int main(void)
{
	return 0;
}
#endif
