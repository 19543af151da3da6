/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of jars; see jar.h. */
#include "install/jar.h"
#include "base/archive.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANIFEST "META-INF/MANIFEST.MF"
#define MANIFEST_MAX (64U << 10)
#define MEMBERS_MAX 20000 /* it is the first or the second where a tool made the jar */
#define MEMORY_MAX (512UL << 20)
#define SECONDS_MAX 5
#define NOBODY 65534

bool jar_is_named(const char *path)
{
	size_t n = strlen(path);

	return n > 4 && strcmp(path + n - 4, ".jar") == 0;
}

/* A line as the format has it: what goes on in the next begins there with a blank. */
static size_t take_line(const char *text, size_t length, struct text *ret_line)
{
	size_t at = 0;

	do {
		size_t begin = at += at ? 1 : 0;

		while (at < length && text[at] != '\r' && text[at] != '\n')
			at++;
		text_add_bytes(ret_line, text + begin, at - begin);
		at += at < length && text[at] == '\r';
		at += at < length && text[at] == '\n';
	} while (at < length && text[at] == ' ');
	return at;
}

static void copy_plain(const char *from, char version[JAR_VERSION_SIZE])
{
	size_t n = 0;

	from += strspn(from, " \t");
	for (; *from && n + 1 < JAR_VERSION_SIZE; from++, n++) {
		version[n] = *from;
		if (*from < ' ' || *from > '~')
			version[n] = '?';
	}
	while (n && version[n - 1] == ' ')
		n--;
	version[n] = '\0';
}

/* Names are in any case, and the first of two is better. */
static void look_at_line(const char *line, int *rank, char version[JAR_VERSION_SIZE])
{
	static const char *const names[] = {"Implementation-Version:", "Bundle-Version:"};

	for (int i = 0; i < *rank; i++) {
		size_t n = strlen(names[i]);

		if (strncasecmp(line, names[i], n) != 0)
			continue;
		copy_plain(line + n, version);
		if (*version)
			*rank = i;
	}
}

bool jar_manifest_version(const char *text, size_t length, char version[JAR_VERSION_SIZE])
{
	char found[JAR_VERSION_SIZE] = "";
	size_t at = 0;
	int rank = 2;

	while (at < length) {
		cleanup_text struct text line = {0};
		char one[JAR_VERSION_SIZE] = "";
		int before = rank;

		at += take_line(text + at, length - at, &line);
		/* the main section ends with an empty line */
		if (!line.length)
			break;
		look_at_line(line.data, &rank, one);
		if (rank < before)
			memcpy(found, one, sizeof(found));
	}
	if (*found)
		memcpy(version, found, sizeof(found));
	return *found;
}

static bool read_manifest(struct archive_in *in, struct text *ret_text)
{
	const void *data;
	size_t size;
	int64_t offset;

	while (archive_in_read(in, &data, &size, &offset, NULL) > 0) {
		if (ret_text->length + size > MANIFEST_MAX || offset != (int64_t)ret_text->length)
			return false;
		text_add_bytes(ret_text, data, size);
	}
	return ret_text->length > 0;
}

static bool find_version(int fd, char version[JAR_VERSION_SIZE])
{
	cleanup_archive_in struct archive_in *in = NULL;
	cleanup_text struct text text = {0};
	struct archive_member member;

	if (archive_in_open(fd, ARCHIVE_ZIP, "jar", &in, NULL) < 0)
		return false;
	for (int i = 0; i < MEMBERS_MAX && archive_in_next(in, &member, NULL) > 0; i++)
		if (strcasecmp(member.path, MANIFEST) == 0)
			return read_manifest(in, &text) &&
			       jar_manifest_version(text.data, text.length, version);
	return false;
}

static void limit(int resource, rlim_t value)
{
	const struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

	(void)setrlimit(resource, &limit);
}

/* What is unpacked may have been made to do harm: here it finds nothing to do it with. */
static void run_child(int fd, int result)
{
	char version[JAR_VERSION_SIZE] = "";

#ifndef __SANITIZE_ADDRESS__ /* it reserves more addresses than any machine has memory */
	limit(RLIMIT_AS, MEMORY_MAX);
#endif
	limit(RLIMIT_CPU, SECONDS_MAX);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		_exit(1);
	alarm(SECONDS_MAX * 2);
	if (find_version(fd, version) &&
	    write(result, version, sizeof(version)) == (ssize_t)sizeof(version))
		_exit(0);
	_exit(1);
}

static int open_jar(int directory, const char *path)
{
	cleanup_fd int fd = file_open_beneath(directory, path,
					      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
		return -EINVAL;
	return steal_fd(&fd);
}

bool jar_version(int directory, const char *path, char version[JAR_VERSION_SIZE])
{
	cleanup_fd int fd = open_jar(directory, path), out = -1, in = -1;
	char found[JAR_VERSION_SIZE];
	bool complete;
	int pair[2];
	pid_t pid;

	if (fd < 0 || pipe2(pair, O_CLOEXEC) < 0)
		return false;
	in = pair[0];
	out = pair[1];
	pid = fork();
	if (pid == 0)
		run_child(fd, out);
	cleanup_close(&out);
	complete = pid > 0 && read(in, found, sizeof(found)) == (ssize_t)sizeof(found);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (complete && !memchr(found, '\0', sizeof(found)))
		complete = false;
	if (complete)
		memcpy(version, found, sizeof(found));
	return complete;
}
