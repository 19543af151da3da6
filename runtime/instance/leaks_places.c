/* SPDX-License-Identifier: Apache-2.0 */
/* Leaks below stint's directories: entries, mounts, loop devices, quotas. See leaks.h. */
#include "instance/leaks_look.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "instance/disk.h"
#include "install/generation.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void see_entries(struct leak_look *look, int dirfd, const char *above, const char *path,
			const char *sort)
{
	int fd = file_open_directory(dirfd, path);
	cleanup_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		cleanup_free char *name = xasprintf("%s/%s/%s", above, path, entry->d_name);
		char id[INSTANCE_ID_LENGTH + 1];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (leak_id_of(entry->d_name, id))
			leak_note(look, sort, id, name, "no sound instance has it");
		else
			leak_note(look, sort, LEAK_NOBODYS, name,
				  "not of stint's making: remove it by hand");
	}
}

static void see_zone_files(struct leak_look *look)
{
	const struct site *site = look->site;
	int fd = file_open_directory(site->run, "zone");
	cleanup_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		cleanup_free char *whose = xasprintf("zone/%s", entry->d_name);
		cleanup_free char *name = xasprintf("%s/%s", site->run_path, whose);

		if (entry->d_name[0] != '.')
			leak_note(look, "directory", whose, name, "there is no such zone");
	}
}

static void see_unfinished(const char *path, void *data)
{
	leak_note(data, "directory", LEAK_NOBODYS, path,
		  "of a generation that was never finished, and nobody is at it");
}

void leaks_see_directories(struct leak_look *look)
{
	const struct site *site = look->site;

	see_entries(look, site->run, site->run_path, "i", "directory");
	see_entries(look, site->state, site->state_path, "i", "directory");
	see_entries(look, site->run, site->run_path, "lock", "lock");
	see_zone_files(look);
	(void)generations_unfinished(site->state_path, see_unfinished, look);
}

/* What stands behind the prefix, NULL when the path does not begin with it. */
static const char *below(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	return strncmp(path, directory, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

/* Everything that an instance mounts is in its own mount namespace. */
static void see_mount(struct leak_look *look, char *path)
{
	cleanup_free char *state = xasprintf("%s/i", look->site->state_path);

	unescape_octal(path);
	if (below(path, state) || below(path, look->site->run_path))
		leak_note(look, "mount", LEAK_NOBODYS, path,
			  "on the host, where instances mount nothing");
}

/* proc_pid_mountinfo(5): the fifth word is where it is mounted. */
void leaks_see_mounts(struct leak_look *look)
{
	cleanup_free char *text = NULL;
	char *rest, *line;

	if (file_read(AT_FDCWD, "/proc/self/mountinfo", 64 << 20, &text, NULL) < 0)
		return;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		char *word = NULL;

		for (int i = 0; i < 5; i++)
			word = strsep(&line, " ");
		if (word)
			see_mount(look, word);
	}
}

static void see_loop(struct leak_look *look, const char *device)
{
	cleanup_free char *file = xasprintf("/sys/block/%s/loop/backing_file", device);
	cleanup_free char *state = xasprintf("%s/i", look->site->state_path);
	cleanup_free char *path = NULL, *name = xasprintf("/dev/%s", device);
	char id[INSTANCE_ID_LENGTH + 1];
	const char *rest;

	if (file_read(AT_FDCWD, file, 1 << 16, &path, NULL) < 0)
		return;
	path[strcspn(path, "\n")] = '\0';
	rest = below(path, state);
	if (rest)
		leak_note(look, "loop device", leak_id_of(rest, id) ? id : LEAK_NOBODYS, name,
			  "holds '%s'", path);
}

void leaks_see_loops(struct leak_look *look)
{
	cleanup_dir DIR *dir = opendir("/sys/block");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, "loop", 4) == 0)
			see_loop(look, entry->d_name);
}

static void see_quota(uint32_t project, void *data)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", project);
	leak_note(data, "quota", LEAK_NOBODYS, name, "of a project that has no file");
}

void leaks_see_quotas(struct leak_look *look)
{
	disk_each_empty_quota(look->site, see_quota, look);
}
