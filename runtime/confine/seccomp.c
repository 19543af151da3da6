/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of system calls from the lists; in the command that starts an instance. libseccomp makes
 * the program; the instructions that it has no words for are put before it (checks.c).
 */
#include "confine/calls.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECKS_VERSION 5 /* of filter_add_checks() */

uint32_t filter_version(void)
{
	const struct scmp_version *version = seccomp_version();

	return CHECKS_VERSION << 24 | version->major << 16 | version->minor << 8 | version->micro;
}

static int resolve(const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	for (size_t i = 0; number == __NR_SCMP_ERROR && young_calls[i].name; i++)
		if (strcmp(young_calls[i].name, name) == 0)
			number = young_calls[i].number;
	return number;
}

static int add_group(scmp_filter_ctx context, const struct call_group *group, bool abi32)
{
	for (const char *const *name = group->names; *name; name++) {
		/* the library cannot translate what it does not know for another architecture */
		int number = abi32 ? seccomp_syscall_resolve_name(*name) : resolve(*name), r;

		/* below zero: only other machines, such as 32-bit ones, have it */
		if (number == __NR_SCMP_ERROR || (number < 0 && !abi32))
			continue;
		r = seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_rule(scmp_filter_ctx context, const struct call_rule *rule)
{
	struct scmp_arg_cmp compare[CALL_CONDITIONS_MAX];
	int number = resolve(rule->name);

	for (size_t i = 0; i < rule->n; i++)
		compare[i] = SCMP_CMP64(rule->conditions[i].argument, SCMP_CMP_MASKED_EQ,
					rule->conditions[i].mask, rule->conditions[i].value);
	return number < 0
		       ? 0
		       : seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, rule->n, compare);
}

static int add_all(scmp_filter_ctx context, enum filter_kind kind, bool abi32)
{
	unsigned bit = 1U << kind;
	int r = 0;

	if (abi32)
		r = seccomp_arch_add(context, SCMP_ARCH_X86);
	for (const struct call_group *group = call_groups; r == 0 && group->names; group++)
		if (group->kinds & bit)
			r = add_group(context, group, abi32);
	for (const struct call_rule *rule = call_rules; r == 0 && rule->name; rule++)
		if (rule->kinds & bit)
			r = add_rule(context, rule);
	/* the C library takes its older way, whose flags can be looked at */
	if (r == 0)
		r = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return r;
}

static int set_up(scmp_filter_ctx context)
{
	int r = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));

	if (r == 0)
		r = seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0);
	/* a tree instead of a chain of comparisons; older libraries know the chain only */
	if (r == 0)
		(void)seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return r;
}

/* libseccomp writes to a descriptor. */
static int export(scmp_filter_ctx context, struct text *program)
{
	cleanup_fd int fd = memfd_create("filter", MFD_CLOEXEC);
	cleanup_free char *bytes = NULL;
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(context, fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	bytes = xcalloc(1, (size_t)st.st_size + 1);
	n = pread(fd, bytes, (size_t)st.st_size, 0);
	if (n != st.st_size)
		return -EIO;
	text_add_bytes(program, bytes, (size_t)n);
	return 0;
}

static int compile(scmp_filter_ctx context, enum filter_kind kind, bool abi32, struct text *program)
{
	int r = context ? set_up(context) : -ENOMEM;

	if (r == 0)
		r = add_all(context, kind, abi32);
	if (r < 0)
		return r;
	filter_add_checks(program, kind, seccomp_arch_native());
	if (abi32)
		filter_add_checks(program, kind, SCMP_ARCH_X86);
	return export(context, program);
}

int filter_compile(enum filter_kind kind, bool abi32, struct filter *ret_filter, struct error *err)
{
	scmp_filter_ctx context;
	struct text program = {0};
	int r;

	if (abi32 && seccomp_arch_native() != SCMP_ARCH_X86_64)
		return error_say(
			err, ERROR_REFUSED,
			"'seccomp: abi32' is for x86_64: this machine has no 32-bit calls");
	context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	r = compile(context, kind, abi32, &program);
	seccomp_release(context);
	if (r < 0) {
		text_deinit(&program);
		return error_set(err, -r, "cannot make the filter of system calls");
	}
	ret_filter->size = program.length;
	ret_filter->program = text_take(&program);
	return 0;
}

static struct filter_call describe(const char *name, unsigned kinds, bool checked)
{
	return (struct filter_call){.name = name,
				    .number = resolve(name) < 0 ? -1 : resolve(name),
				    .checked = checked,
				    .kinds = (uint8_t)kinds};
}

struct filter_call filter_call_at(size_t index)
{
	for (const struct call_group *group = call_groups; group->names; group++)
		for (const char *const *name = group->names; *name; name++)
			if (index-- == 0)
				return describe(*name, group->kinds, false);
	for (const struct call_rule *rule = call_rules; rule->name; rule++)
		if (index-- == 0)
			return describe(rule->name, rule->kinds, true);
	return (struct filter_call){0};
}

const char *filter_call_name(int number, char buffer[64])
{
	char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number);

	for (size_t i = 0; !name && young_calls[i].name; i++)
		if (young_calls[i].number == number)
			return young_calls[i].name;
	if (!name)
		return NULL;
	snprintf(buffer, 64, "%s", name);
	free(name);
	return buffer;
}
