/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that are allowed but for certain arguments; in the command that compiles a filter.
 * libseccomp has no words for that, so these instructions stand before its program. The kernel
 * takes these arguments as 32-bit numbers: their upper halves are not looked at.
 */
#include "confine/calls.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/in6.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define X32_BIT 0x40000000U
#define LOW_HALF (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4)
#define FAIL(errnum) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (errnum))

#define INSIDE (1 << FILTER_DEFAULT | 1 << FILTER_STRICT)
#define ALL (INSIDE | 1 << FILTER_FORWARDER)

#define F_GETDELEG_NUMBER 1039 /* the youngest command; of a later kernel than the headers */

#define EQUALS (BPF_JMP | BPF_JEQ | BPF_K)
#define EXCEEDS (BPF_JMP | BPF_JGT | BPF_K)

struct condition {
	uint8_t argument; /* from 0 on */
	uint16_t jump;	  /* EQUALS, EXCEEDS */
	uint32_t value;
};

/* Answered with errnum when all conditions hold; 0: done, to no effect. */
struct refusal {
	uint16_t errnum;
	uint8_t n; /* 0: the last refusal of a call */
	struct condition conditions[CALL_CONDITIONS_MAX];
};

/*
 * A terminal takes no input, no selection, no line discipline and no kernel messages from a
 * program. Nor does a file change its project, and so whose quota it uses: without a user namespace
 * its owner could.
 */
static const struct refusal of_ioctl[] = {
	{EPERM, 1, {{1, EQUALS, TIOCSTI}}},	      {EPERM, 1, {{1, EQUALS, TIOCLINUX}}},
	{EPERM, 1, {{1, EQUALS, TIOCSETD}}},	      {EPERM, 1, {{1, EQUALS, TIOCCONS}}},
	{EPERM, 1, {{1, EQUALS, FS_IOC_FSSETXATTR}}}, {0, 0, {{0}}},
};

/*
 * /usr and what a template shows are the host's own inodes: who holds a lease on one lets every
 * open(2) of it on the host wait for 45 seconds, and a hint stays with it. EINVAL is what file
 * systems without leases say, and kernels to a command that is younger than they are.
 */
static const struct refusal of_fcntl[] = {
	{EINVAL, 1, {{1, EQUALS, F_SETLEASE}}},
	{EINVAL, 1, {{1, EQUALS, F_NOTIFY}}},
	{EINVAL, 1, {{1, EQUALS, F_SET_RW_HINT}}},
	{EINVAL, 1, {{1, EQUALS, F_SET_FILE_RW_HINT}}},
	{EINVAL, 1, {{1, EXCEEDS, F_GETDELEG_NUMBER}}},
	{0, 0, {{0}}},
};

/* The cache of a shared file is everybody's. It is advice: nobody learns whether it was taken. */
static const struct refusal of_fadvise[] = {
	{0, 1, {{3, EQUALS, POSIX_FADV_DONTNEED}}},
	{0, 0, {{0}}},
};

/* Offsets and lengths of 64 bits are two arguments each. */
static const struct refusal of_fadvise_i386[] = {
	{0, 1, {{4, EQUALS, POSIX_FADV_DONTNEED}}},
	{0, 0, {{0}}},
};

static const struct refusal of_fadvise64_i386[] = {
	{0, 1, {{5, EQUALS, POSIX_FADV_DONTNEED}}},
	{0, 0, {{0}}},
};

/* The table of flow labels is the machine's, of 4,096, however many network namespaces it has. */
static const struct refusal of_setsockopt[] = {
	{EPERM, 2, {{1, EQUALS, IPPROTO_IPV6}, {2, EQUALS, IPV6_FLOWLABEL_MGR}}},
	{0, 0, {{0}}},
};

#define NOT_THERE (-1)

static const struct checked_call {
	int native, i386; /* its number, for either kind of program */
	unsigned kinds;
	const struct refusal *refusals;
} checked_calls[] = {
	{SYS_ioctl, 54, ALL, of_ioctl},
	{SYS_fcntl, 55, ALL, of_fcntl},
	{NOT_THERE, 221, ALL, of_fcntl}, /* fcntl64 */
	{SYS_fadvise64, NOT_THERE, INSIDE, of_fadvise},
	{NOT_THERE, 250, INSIDE, of_fadvise_i386},
	{NOT_THERE, 272, INSIDE, of_fadvise64_i386}, /* fadvise64_64 */
	{SYS_setsockopt, 366, ALL, of_setsockopt},
};

static size_t instructions_of(const struct text *program)
{
	return program->length / sizeof(struct sock_filter);
}

static void add_refusal(struct text *program, const struct refusal *refusal)
{
	const struct sock_filter fail = FAIL(refusal->errnum);

	for (uint8_t i = 0; i < refusal->n; i++) {
		const struct condition *c = &refusal->conditions[i];
		const struct sock_filter look[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				 (uint32_t)offsetof(struct seccomp_data, args) +
					 c->argument * (uint32_t)sizeof(uint64_t) + LOW_HALF),
			/* to what comes after "fail" */
			BPF_JUMP(c->jump, c->value, 0, (uint8_t)(2 * (refusal->n - 1 - i) + 1)),
		};

		text_add_bytes(program, look, sizeof(look));
	}
	text_add_bytes(program, &fail, sizeof(fail));
}

static void add_call(struct text *program, uint32_t number, const struct refusal *refusals)
{
	cleanup_text struct text body = {0};

	for (; refusals->n; refusals++)
		add_refusal(&body, refusals);
	const struct sock_filter head[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(EQUALS, number, 0, (uint8_t)instructions_of(&body)),
	};

	text_add_bytes(program, head, sizeof(head));
	text_add_bytes(program, body.data, body.length);
}

void filter_add_checks(struct text *program, enum filter_kind kind, uint32_t arch)
{
	cleanup_text struct text calls = {0};

	for (size_t i = 0; i < ARRAY_SIZE(checked_calls); i++) {
		const struct checked_call *call = &checked_calls[i];
		int number = arch == AUDIT_ARCH_I386 ? call->i386 : call->native;

		if (call->kinds & 1U << kind && number != NOT_THERE)
			add_call(&calls, (uint32_t)number, call->refusals);
	}
	const uint8_t past = (uint8_t)instructions_of(&calls);
	const struct sock_filter head[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(EQUALS, arch, 0, past + 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, past + 2, 0),
		BPF_JUMP(EXCEEDS, CALLS_NEWEST, 0, 1),
		FAIL(ENOSYS),
	};

	text_add_bytes(program, head, sizeof(head));
	text_add_bytes(program, calls.data, calls.length);
}
