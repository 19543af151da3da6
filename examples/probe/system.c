/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs about files, output and the terminal. */
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_SIZE 64

static int write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, data, length);

		if (n < 0)
			return -1;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

static int text_write(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	int result;

	if (fd < 0)
		return -1;
	result = write_all(fd, text, strlen(text));
	return close(fd) < 0 ? -1 : result;
}

int verb_write(char **argument)
{
	return text_write(argument[0], O_TRUNC, argument[1]);
}

int verb_append(char **argument)
{
	return text_write(argument[0], O_APPEND, argument[1]);
}

/* So many bytes in lines of line_size, the last byte of each a newline. */
static int lines_write(int fd, unsigned long long bytes, size_t line_size)
{
	char block[64 * LINE_SIZE];

	memset(block, 'x', sizeof(block));
	for (size_t i = line_size; i <= sizeof(block); i += line_size)
		block[i - 1] = '\n';
	while (bytes > 0) {
		size_t length = bytes < sizeof(block) ? bytes : sizeof(block);

		if (write_all(fd, block, length) < 0)
			return -1;
		bytes -= length;
	}
	return 0;
}

int verb_fill(char **argument)
{
	int fd = open(argument[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int result;

	if (fd < 0)
		return -1;
	result = lines_write(fd, number(argument[1]), LINE_SIZE);
	return close(fd) < 0 ? -1 : result;
}

static int descriptor_copy(int fd)
{
	char block[4096];
	ssize_t n;

	fflush(stdout);
	while ((n = read(fd, block, sizeof(block))) > 0) {
		if (write_all(STDOUT_FILENO, block, (size_t)n) < 0)
			return -1;
	}
	return n < 0 ? -1 : 0;
}

int verb_read(char **argument)
{
	int fd = open(argument[0], O_RDONLY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return -1;
	result = descriptor_copy(fd);
	close(fd);
	return result;
}

int verb_read_direct(char **argument)
{
	static _Alignas(4096) char block[1 << 16];
	int fd = open(argument[0], O_RDONLY | O_DIRECT | O_CLOEXEC);
	unsigned long long bytes = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = read(fd, block, sizeof(block))) > 0)
		bytes += (unsigned long long)n;
	close(fd);
	printf("read %llu\n", bytes);
	return n < 0 ? -1 : 0;
}

int verb_copy(char **argument)
{
	(void)argument;
	return descriptor_copy(STDIN_FILENO);
}

static int is_not_dot(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

int verb_ls(char **argument)
{
	struct dirent **entries;
	int n = scandir(argument[0], &entries, is_not_dot, alphasort);

	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		puts(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "link";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	}
	return "unknown";
}

int verb_stat(char **argument)
{
	struct stat st;

	if (lstat(argument[0], &st) < 0)
		return -1;
	printf("%s %04o %u %u %lld\n", type_name(st.st_mode), st.st_mode & 07777u, st.st_uid,
	       st.st_gid, (long long)st.st_size);
	return 0;
}

int verb_rename(char **argument)
{
	return rename(argument[0], argument[1]);
}

int verb_remove(char **argument)
{
	return remove(argument[0]);
}

int verb_mkdir(char **argument)
{
	return mkdir(argument[0], 0755);
}

int verb_symlink(char **argument)
{
	return symlink(argument[0], argument[1]);
}

int verb_mount(char **argument)
{
	return mount("none", argument[0], "tmpfs", 0, NULL);
}

int verb_print(char **argument)
{
	return puts(argument[0]) < 0 ? -1 : 0;
}

int verb_error(char **argument)
{
	return fprintf(stderr, "%s\n", argument[0]) < 0 ? -1 : 0;
}

int verb_spam(char **argument)
{
	fflush(stdout);
	return lines_write(STDOUT_FILENO, number(argument[0]), LINE_SIZE);
}

int verb_longline(char **argument)
{
	fflush(stdout);
	if (lines_write(STDOUT_FILENO, number(argument[0]), SIZE_MAX) < 0)
		return -1;
	return write_all(STDOUT_FILENO, "\n", 1);
}

int verb_env(char **argument)
{
	const char *value = getenv(argument[0]);

	if (!value) {
		errno = ENOENT;
		return -1;
	}
	return puts(value) < 0 ? -1 : 0;
}

int verb_terminal(char **argument)
{
	struct winsize size;

	(void)argument;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		return errno == ENOTTY ? verb_print((char *[]){"none"}) : -1;
	printf("%u %u\n", size.ws_row, size.ws_col);
	return 0;
}
