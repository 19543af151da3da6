/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report: "key=value" lines about everything that a sandbox decides for what runs in it. Keys
 * are stable; a test looks for the line that it needs. What cannot be read is reported as
 * "key=!ENOENT", so that a missing line means a missing thing.
 */
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#define VALUE_SIZE 4096
#define KEYCTL_GET_KEYRING_ID 0
#define KEY_SPEC_SESSION_KEYRING (-3)

extern char **environ;

void report_line(const char *value, const char *key, ...)
{
	va_list arguments;

	va_start(arguments, key);
	vprintf(key, arguments);
	va_end(arguments);
	putchar('=');
	for (const unsigned char *c = (const unsigned char *)value; *c != '\0'; c++) {
		if (*c < ' ' || *c == '\\' || *c == 127)
			printf("\\%03o", *c);
		else
			putchar(*c);
	}
	putchar('\n');
}

void report_failure(const char *key)
{
	printf("%s=!%s\n", key, strerrorname_np(errno));
}

void report_number(const char *key, long long value)
{
	if (value < 0 && errno != 0)
		report_failure(key);
	else
		printf("%s=%lld\n", key, value);
}

static void report_ids(void)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid, groups[256];
	int n = getgroups(ARRAY_SIZE(groups), groups);

	getresuid(&ruid, &euid, &suid);
	getresgid(&rgid, &egid, &sgid);
	printf("uid=%u\neuid=%u\nsuid=%u\n", ruid, euid, suid);
	printf("gid=%u\negid=%u\nsgid=%u\ngroups=", rgid, egid, sgid);
	for (int i = 0; i < n; i++)
		printf("%s%u", i > 0 ? "," : "", groups[i]);
	putchar('\n');
}

static void report_process(void)
{
	char cwd[VALUE_SIZE], exe[VALUE_SIZE];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	mode_t mask = umask(0);

	umask(mask);
	printf("pid=%d\nppid=%d\npgid=%d\nsid=%d\n", getpid(), getppid(), getpgrp(), getsid(0));
	printf("umask=%04o\n", mask);
	printf("personality=%#x\n", (unsigned)personality(0xffffffff));
	if (getcwd(cwd, sizeof(cwd)))
		report_line(cwd, "cwd");
	else
		report_failure("cwd");
	exe[n < 0 ? 0 : n] = '\0';
	report_line(exe, "exe");
}

static void report_names(void)
{
	struct utsname names;

	if (uname(&names) < 0)
		return;
	report_line(names.nodename, "hostname");
	report_line(names.domainname, "domainname");
	report_line(names.release, "kernel");
}

static void report_environment(void)
{
	for (char **entry = environ; *entry; entry++) {
		const char *equals = strchr(*entry, '=');

		if (equals)
			report_line(equals + 1, "env.%.*s", (int)(equals - *entry), *entry);
		else
			report_line(*entry, "env");
	}
}

/* Calls line for every name in a directory that does not start with a dot. */
static void each_entry(const char *path, void (*line)(int directory, const char *name))
{
	DIR *directory = opendir(path);

	if (!directory) {
		report_failure(path);
		return;
	}
	for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
		if (entry->d_name[0] != '.')
			line(dirfd(directory), entry->d_name);
	}
	closedir(directory);
}

static void report_descriptor(int directory, const char *name)
{
	char target[VALUE_SIZE];
	ssize_t n = readlinkat(directory, name, target, sizeof(target) - 1);

	if (n < 0 || strtol(name, NULL, 10) == directory)
		return;
	target[n] = '\0';
	report_line(target, "fd.%s", name);
}

static void report_namespace(int directory, const char *name)
{
	char target[VALUE_SIZE];
	ssize_t n = readlinkat(directory, name, target, sizeof(target) - 1);

	if (n < 0)
		return;
	target[n] = '\0';
	report_line(target, "ns.%s", name);
}

static void report_device(int directory, const char *name)
{
	struct stat st;
	char text[64];

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		snprintf(text, sizeof(text), "%c %u:%u %04o", S_ISCHR(st.st_mode) ? 'c' : 'b',
			 major(st.st_rdev), minor(st.st_rdev), st.st_mode & 07777u);
	else
		snprintf(text, sizeof(text), "%c %04o",
			 S_ISDIR(st.st_mode)   ? 'd'
			 : S_ISLNK(st.st_mode) ? 'l'
					       : '-',
			 st.st_mode & 07777u);
	report_line(text, "dev.%s", name);
}

/* Calls line for every line of a file, without its newline. */
static void each_line(const char *path, void (*line)(char *text))
{
	FILE *file = fopen(path, "re");
	size_t size = 0;
	char *text = NULL;

	if (!file) {
		report_failure(path);
		return;
	}
	while (getline(&text, &size, file) >= 0) {
		text[strcspn(text, "\n")] = '\0';
		line(text);
	}
	free(text);
	fclose(file);
}

static void report_status(char *line)
{
	static const struct {
		const char *field, *key;
	} fields[] = {
		{"CapInh", "cap.inheritable"},
		{"CapPrm", "cap.permitted"},
		{"CapEff", "cap.effective"},
		{"CapBnd", "cap.bounding"},
		{"CapAmb", "cap.ambient"},
		{"NoNewPrivs", "no_new_privs"},
		{"Seccomp", "seccomp"},
		{"Seccomp_filters", "seccomp.filters"},
		{"SigBlk", "signals.blocked"},
		{"SigIgn", "signals.ignored"},
		{"SigCgt", "signals.caught"},
		{"SigPnd", "signals.pending"},
		{"NSpid", "nspid"},
		{"Threads", "threads"},
	};
	char *value = strchr(line, ':');

	if (!value)
		return;
	*value++ = '\0';
	value += strspn(value, " \t");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(line, fields[i].field) == 0)
			report_line(value, "%s", fields[i].key);
	}
}

/*
 * "36 35 98:0 /root /point options shared:1 - type source super": proc_pid_mountinfo(5). Reported
 * as mount.POINT=TYPE SOURCE OPTIONS SUPER PROPAGATION; blanks in paths stay octal.
 */
static void report_mount(char *line)
{
	char point[VALUE_SIZE], options[VALUE_SIZE], tags[VALUE_SIZE] = "private", text[VALUE_SIZE];
	char type[64], source[VALUE_SIZE], super[VALUE_SIZE];
	char *behind = strstr(line, " - ");
	int head = 0;

	if (!behind || sscanf(line, "%*d %*d %*s %*s %4095s %4095s%n", point, options, &head) != 2)
		return;
	if (line + head < behind)
		snprintf(tags, sizeof(tags), "%.*s", (int)(behind - line - head - 1),
			 line + head + 1);
	if (sscanf(behind, " - %63s %4095s %4095s", type, source, super) != 3)
		return;
	if (snprintf(text, sizeof(text), "%s %s %s %s %s", type, source, options, super, tags) < 0)
		return;
	printf("mount.%s=%s\n", point, text);
}

static void report_cgroup(char *line)
{
	char *value = strchr(line, ':');
	char *path = value ? strchr(value + 1, ':') : NULL;

	if (!path)
		return;
	*path = '\0';
	report_line(path + 1, "cgroup.%s", value[1] == '\0' ? "v2" : value + 1);
}

/* One line per range: first id inside, first id outside, count. */
static void report_id_map(const char *key, const char *line)
{
	unsigned inside, outside, count;

	if (sscanf(line, "%u %u %u", &inside, &outside, &count) == 3)
		printf("%s=%u %u %u\n", key, inside, outside, count);
}

static void report_uid_map(char *line)
{
	report_id_map("uid_map", line);
}

static void report_gid_map(char *line)
{
	report_id_map("gid_map", line);
}

static void report_oom(char *line)
{
	report_line(line, "oom_score_adj");
}

static void report_core_filter(char *line)
{
	report_line(line, "core_filter");
}

static void report_controls(void)
{
	int death_signal = 0;

	errno = 0;
	report_number("securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	report_number("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	report_number("thp_disable", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	report_number("death_signal",
		      prctl(PR_GET_PDEATHSIG, &death_signal) < 0 ? -1 : death_signal);
	report_number("keyring",
		      syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
}

static void report_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		report_failure("tty");
	else
		report_line("yes", "tty");
	if (fd >= 0)
		close(fd);
}

int verb_report(char **argument)
{
	(void)argument;
	report_ids();
	report_process();
	report_names();
	report_controls();
	report_terminal();
	report_environment();
	report_bounds();
	each_line("/proc/self/status", report_status);
	each_line("/proc/self/uid_map", report_uid_map);
	each_line("/proc/self/gid_map", report_gid_map);
	each_line("/proc/self/oom_score_adj", report_oom);
	each_line("/proc/self/coredump_filter", report_core_filter);
	each_line("/proc/self/cgroup", report_cgroup);
	each_line("/proc/self/mountinfo", report_mount);
	each_entry("/proc/self/fd", report_descriptor);
	each_entry("/proc/self/ns", report_namespace);
	each_entry("/dev", report_device);
	report_network();
	return 0;
}
