/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's report, and what can be seen without trying; see doctor.h. In "stint doctor". */
#include "instance/probing.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "confine/confine.h"
#include "confine/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

void doctor_add(struct doctor_report *report, enum doctor_verdict verdict, const char *check,
		const char *text, const char *fix)
{
	report->list = xrealloc(report->list, report->n + 1, sizeof(*report->list));
	report->list[report->n++] = (struct doctor_line){
		.verdict = verdict,
		.check = check,
		.text = xstrdup(text),
		.fix = fix ? xstrdup(fix) : NULL,
	};
}

void doctor_addf(struct doctor_report *report, enum doctor_verdict verdict, const char *check,
		 const char *fix, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	doctor_add(report, verdict, check, text, fix);
}

void doctor_deinit(struct doctor_report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		free(report->list[i].text);
		free(report->list[i].fix);
	}
	free(report->list);
	*report = (struct doctor_report){0};
}

const char *doctor_verdict_name(enum doctor_verdict verdict)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok", [DOCTOR_NOTE] = "note", [DOCTOR_MISSING] = "missing"};

	return names[verdict];
}

bool doctor_can_start(const struct doctor_report *report)
{
	for (size_t i = 0; i < report->n; i++)
		if (report->list[i].verdict == DOCTOR_MISSING)
			return false;
	return true;
}

char *doctor_existing(const char *path)
{
	char *found = xstrdup(path);

	while (access(found, F_OK) < 0) {
		char *slash = strrchr(found, '/');

		if (!slash || slash == found) {
			free(found);
			return xstrdup("/");
		}
		*slash = '\0';
	}
	return found;
}

static void look_at_user(const struct site *site, struct doctor_report *report)
{
	(void)site;
	if (geteuid() == 0)
		doctor_add(report, DOCTOR_OK, "root", "this is root", NULL);
	else
		doctor_add(report, DOCTOR_MISSING, "root",
			   "this is not root; what needs root is not tried below",
			   "run it as 'sudo stint doctor'");
}

static void look_at_kernel(const struct site *site, struct doctor_report *report)
{
	unsigned major = 0, minor = 0;
	struct utsname names;

	(void)site;
	uname(&names);
	sscanf(names.release, "%u.%u", &major, &minor);
	/* mount_setattr(2), the youngest call that is needed, came with 5.12 */
	if (major > 5 || (major == 5 && minor >= 12))
		doctor_addf(report, DOCTOR_OK, "kernel", NULL, "Linux %s", names.release);
	else
		doctor_addf(report, DOCTOR_MISSING, "kernel", "use Linux 5.12 or later",
			    "Linux %s is older than 5.12", names.release);
}

static const struct call {
	const char *name;
	long number;
} calls[] = {
	{"fsopen", SYS_fsopen},		{"open_tree", SYS_open_tree},
	{"move_mount", SYS_move_mount}, {"mount_setattr", SYS_mount_setattr},
	{"openat2", SYS_openat2},	{"pidfd_open", SYS_pidfd_open},
	{"clone3", SYS_clone3},		{"close_range", SYS_close_range},
};

/* With these arguments every one of the calls fails; only how it fails tells. */
static bool has_call(const struct call *call)
{
	if (call->number == SYS_close_range)
		return syscall(SYS_close_range, UINT_MAX, 0U, 0U) < 0 && errno != ENOSYS;
	return syscall(call->number, -1, 0, 0, 0, 0) < 0 && errno != ENOSYS;
}

static void look_at_calls(const struct site *site, struct doctor_report *report)
{
	cleanup_text struct text missing = {0};

	(void)site;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (!has_call(&calls[i]))
			text_addf(&missing, "%s%s", missing.length ? ", " : "", calls[i].name);
	if (!missing.length)
		doctor_add(report, DOCTOR_OK, "system calls",
			   "mounts by descriptor, openat2, pidfd, clone3, close_range", NULL);
	else
		doctor_addf(report, DOCTOR_MISSING, "system calls",
			    "use a newer kernel; in a container, loosen its seccomp filter",
			    "not available: %s", missing.data);
}

struct capability {
	int number;
	const char *name;
	const char *meaning; /* of its absence; NULL: sandboxes cannot be started */
};

static const struct capability capabilities[] = {
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", NULL},
	{CAP_NET_ADMIN, "CAP_NET_ADMIN", NULL},
	{CAP_SETUID, "CAP_SETUID", NULL},
	{CAP_SETGID, "CAP_SETGID", NULL},
	{CAP_CHOWN, "CAP_CHOWN", NULL},
	{CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", NULL},
	{CAP_FOWNER, "CAP_FOWNER", NULL},
	{CAP_KILL, "CAP_KILL", NULL},
	{CAP_SYS_CHROOT, "CAP_SYS_CHROOT", NULL},
	{CAP_MKNOD, "CAP_MKNOD", NULL},
	{CAP_SETPCAP, "CAP_SETPCAP", "the bounding set of a server cannot be made smaller"},
	{CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "cp cannot reach the files of some instances"},
	{CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE",
	 "ports below 1024 cannot be published or listened on"},
	{CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE",
	 "hard limits cannot be raised: a server gets at most the open files that stint has"},
};

static void look_at_capability(const struct capability *capability, uint64_t effective,
			       struct doctor_report *report)
{
	if (effective & (1ULL << capability->number))
		return;
	if (capability->meaning)
		doctor_addf(report, DOCTOR_NOTE, "capabilities", NULL, "root lacks %s: %s",
			    capability->name, capability->meaning);
	else
		doctor_addf(report, DOCTOR_MISSING, "capabilities",
			    "this is a container without it; give it, or use the host",
			    "root lacks %s", capability->name);
}

static void look_at_capabilities(const struct site *site, struct doctor_report *report)
{
	uint64_t effective = capabilities_in_effect();
	size_t before = report->n;

	(void)site;
	if (geteuid() != 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		look_at_capability(&capabilities[i], effective, report);
	if (report->n == before)
		doctor_add(report, DOCTOR_OK, "capabilities", "all that are needed", NULL);
}

static void look_at_landlock(const struct site *site, struct doctor_report *report)
{
	int version = confine_files_version();

	(void)site;
	if (version)
		doctor_addf(report, DOCTOR_OK, "Landlock", NULL,
			    "version %d: instances reach no file outside, whatever else fails",
			    version);
	else
		doctor_add(
			report, DOCTOR_NOTE, "Landlock",
			"not in this kernel: the files of instances are held by mounts and owners "
			"alone",
			"use Linux 5.19 or later with landlock in the list lsm=");
}

static void look_at_keeper(const struct site *site, struct doctor_report *report)
{
	if (access(site->keeper, X_OK) == 0)
		doctor_addf(report, DOCTOR_OK, "keeper", NULL, "'%s'", site->keeper);
	else
		doctor_addf(report, DOCTOR_MISSING, "keeper", "install stint anew",
			    "'%s' is not there or cannot be executed", site->keeper);
}

static void look_at_usr(const struct site *site, struct doctor_report *report)
{
	struct stat st;

	(void)site;
	if (access("/usr", X_OK) < 0)
		doctor_add(report, DOCTOR_MISSING, "/usr", "'/usr' cannot be seen", NULL);
	else if (lstat("/bin", &st) == 0 && S_ISLNK(st.st_mode))
		doctor_add(report, DOCTOR_OK, "/usr", "merged: '/bin' is a link into it", NULL);
	else
		doctor_add(report, DOCTOR_NOTE, "/usr",
			   "not merged: '/bin', '/sbin' and '/lib' are shown to instances as well",
			   NULL);
}

void doctor_examine(const struct site *site, struct doctor_report *ret_report)
{
	static void (*const checks[])(const struct site *site, struct doctor_report *report) = {
		look_at_user,	      look_at_kernel,		look_at_calls,
		look_at_capabilities, look_at_landlock,		doctor_probe_namespaces,
		doctor_probe_own_ids, doctor_probe_overlay,	doctor_probe_groups,
		doctor_probe_disk,    doctor_probe_disk_limits, doctor_probe_run_directory,
		doctor_probe_network, look_at_keeper,		look_at_usr,
	};
	struct doctor_report report = {0};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](site, &report);
	*ret_report = report;
}
