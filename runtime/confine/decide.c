/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter says to a call, worked out here instead of in the kernel: for explanations. It
 * knows the instructions that filters of system calls are made of, see seccomp(2).
 */
#include "confine/confine.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <string.h>

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word = 0;

	if (offset <= sizeof(*data) - sizeof(word))
		memcpy(&word, (const char *)data + offset, sizeof(word));
	return word;
}

static bool compare(const struct sock_filter *i, uint32_t word)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return word == i->k;
	case BPF_JGT:
		return word > i->k;
	case BPF_JGE:
		return word >= i->k;
	case BPF_JSET:
		return word & i->k;
	default:
		return false;
	}
}

uint32_t filter_decide(const struct filter *filter, const struct seccomp_data *data)
{
	const struct sock_filter *program = filter->program;
	size_t n = filter->size / sizeof(*program);
	uint32_t word = 0;

	for (size_t at = 0; at < n; at++) {
		const struct sock_filter *i = &program[at];

		if (i->code == (BPF_RET | BPF_K))
			return i->k;
		if (i->code == (BPF_LD | BPF_W | BPF_ABS))
			word = load(data, i->k);
		else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
			word &= i->k;
		else if (i->code == (BPF_JMP | BPF_JA))
			at += i->k;
		else if (BPF_CLASS(i->code) == BPF_JMP)
			at += compare(i, word) ? i->jt : i->jf;
		else
			break;
	}
	return SECCOMP_RET_KILL_PROCESS;
}
