/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of older kernels; see old_kernel.h. */
#include "old_kernel.h"
#include "world.h"
#include "base/cleanup.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define ANSWER(errnum) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (errnum))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define UNLESS(value, skipped) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped)

static void install(struct sock_filter *filter, size_t n)
{
	struct sock_fprog program = {(unsigned short)n, filter};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

void refuse_layers_by_fd(int errnum)
{
	/* clang-format off */
	struct sock_filter filter[] = {
		LOAD(nr),
		UNLESS(SYS_fsconfig, 3),
		LOAD(args[1]), /* the low half: this machine is little-endian */
		UNLESS(FSCONFIG_SET_FD, 1),
		ANSWER((unsigned)errnum),
		ALLOW,
	};
	/* clang-format on */

	install(filter, ARRAY_SIZE(filter));
}

void refuse_call(int number, int errnum)
{
	/* clang-format off */
	struct sock_filter filter[] = {
		LOAD(nr),
		UNLESS((unsigned)number, 1),
		ANSWER((unsigned)errnum),
		ALLOW,
	};
	/* clang-format on */

	install(filter, ARRAY_SIZE(filter));
}

void refuse_new_calls(int errnum)
{
	static const int calls[] = {
		SYS_openat2,  SYS_open_tree, SYS_move_mount, SYS_fsopen,
		SYS_fsconfig, SYS_fsmount,   SYS_fspick,     SYS_mount_setattr,
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		refuse_call(calls[i], errnum);
}

bool refuse_as_asked(void)
{
	const char *word = getenv("UNIT_REFUSE");

	if (word)
		refuse_new_calls(strcmp(word, "EPERM") == 0 ? EPERM : ENOSYS);
	return word;
}
