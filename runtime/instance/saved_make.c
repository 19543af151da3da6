/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A template of what an instance changed; see saved.h. The changes go through a harvest without a
 * name: so a layer has what a harvest has, in the same form, and stands for itself.
 */
#include "instance/above.h"
#include "instance/harvest.h"
#include "instance/saved.h"
#include "instance/unpack.h"
#include "base/apart.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "plan/canonical_text.h"
#include "plan/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct making {
	const struct site *site;
	const struct saving *saving;
	int directory; /* of all layers */
	int archive;
};

static int harvest(void *data, struct error *err)
{
	const struct making *m = data;
	struct harvest all = {.cancel = -1, .note = m->saving->note, .data = m->saving->data};

	return harvest_write(m->site, m->saving->record, m->saving->pool, m->archive,
			     "the new layer", &all, err);
}

static int unpack(void *data, struct error *err)
{
	const struct making *m = data;
	char *const *installs = m->saving->record->layers;
	struct unpack_place places[PLAN_LAYERS_MAX];
	size_t n = 0;

	for (; installs && installs[n] && n < PLAN_LAYERS_MAX; n++) {
		cleanup_free char *name = xasprintf(SAVED_NEW "/%zu", n);

		places[n] = (struct unpack_place){.install = installs[n]};
		if (mkdirat(m->directory, name, 0755) < 0)
			return error_set(err, errno, "cannot make '" SAVED_DIRECTORY "/%s'", name);
		places[n].upper = openat(m->directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		places[n].lower = above_open(m->site, m->saving->record, n, err);
		if (places[n].lower < 0)
			return places[n].lower;
	}
	return unpack_archive(m->archive, "the new layer", places, n, err);
}

/* Layers without anything in them are none; what there is goes into the list, in YAML's words. */
static int list_layers(const struct making *m, char ***ret_layers, struct error *err)
{
	const struct record *record = m->saving->record;
	bool any = false;

	for (size_t i = 0; record->above && record->above[i]; i++) {
		const char *directory = strchr(record->above[i], ':') + 1;
		cleanup_free char *word = xasprintf(
			"%s:%s", directory, record->layers[strtoul(record->above[i], NULL, 10)]);

		strv_add(ret_layers, word);
	}
	for (size_t i = 0; record->layers && record->layers[i]; i++) {
		cleanup_free char *name = xasprintf(SAVED_NEW "/%zu", i);
		cleanup_free char *word =
			xasprintf("%s/" SAVED_DIRECTORY "/%s/%zu:%s", m->site->state_path,
				  m->saving->name, i, record->layers[i]);

		if (unlinkat(m->directory, name, AT_REMOVEDIR) == 0)
			continue;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return error_set(err, errno, "cannot look at the new layer");
		strv_add(ret_layers, word);
		any = true;
	}
	return any ? 0
		   : error_say(err, ERROR_FAILED, "'%s' has changed nothing in its installs",
			       record->grant.name);
}

static void write_text(const struct making *m, char *const *layers, struct text *text)
{
	const struct saving *saving = m->saving;
	cleanup_free char *summary = xasprintf("%s, as '%s' had changed it", saving->extends,
					       saving->record->grant.name);

	text_addf(
		text,
		"# Made by \"stint save\"; \"stint template rm %s\" removes it with its layers.\n",
		saving->name);
	put_value(text, 0, "template", saving->name);
	put_value(text, 0, "summary", summary);
	put_value(text, 0, "extends", saving->extends);
	put_list(text, 0, "layers", layers);
}

static int write_template(const struct making *m, const struct text *text, struct error *err)
{
	cleanup_free char *path = saved_template_path(m->site, m->saving->name);
	cleanup_free char *parent = xasprintf("%s/templates", m->site->config_path);
	cleanup_free char *self = NULL;
	cleanup_fd int directory = -1, fd = -1;
	int r = file_make_directories(AT_FDCWD, parent, 0755);

	if (r == 0)
		r = directory = file_open_directory(AT_FDCWD, parent);
	if (r < 0)
		return error_set(err, -r, "cannot make '%s'", parent);
	fd = openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : file_write_all(fd, text->data, text->length);
	if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
		r = -errno;
	self = xasprintf("/proc/self/fd/%d", fd);
	if (r == 0 && linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0)
		r = -errno;
	if (r == 0 && fsync(directory) < 0)
		r = -errno;
	return r < 0 ? error_set(err, -r, "cannot make '%s'", path) : 0;
}

/* From "new" to its name, with the mark that the template is missing. */
static int give_name(const struct making *m, struct error *err)
{
	cleanup_fd int mark = openat(m->directory, SAVED_NEW "/" SAVED_PENDING,
				     O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (mark < 0 || syncfs(m->directory) < 0 ||
	    renameat(m->directory, SAVED_NEW, m->directory, m->saving->name) < 0 ||
	    fsync(m->directory) < 0)
		return error_set(err, errno, "cannot give the new layer its name");
	return 0;
}

static int finish(const struct making *m, struct error *err)
{
	cleanup_free char *mark = xasprintf("%s/" SAVED_PENDING, m->saving->name);
	cleanup_strv char **layers = NULL;
	cleanup_text struct text text = {0};
	int r = list_layers(m, &layers, err);

	if (r == 0)
		r = give_name(m, err);
	if (r < 0)
		return r;
	write_text(m, layers, &text);
	r = write_template(m, &text, err);
	if (r < 0)
		(void)saved_discard(m->directory, m->saving->name);
	else
		(void)unlinkat(m->directory, mark, 0);
	return r;
}

static int fill(struct making *m, struct error *err)
{
	int r;

	(void)file_remove_tree(m->directory, SAVED_NEW);
	if (mkdirat(m->directory, SAVED_NEW, 0700) < 0)
		return error_set(err, errno, "cannot make the new layer");
	m->archive = openat(m->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (m->archive < 0)
		return error_set(err, errno, "cannot make the new layer");
	r = apart_run(harvest, m, m->saving->cancel, err);
	lseek(m->archive, 0, SEEK_SET);
	if (r == 0)
		r = apart_run(unpack, m, m->saving->cancel, err);
	return r;
}

int saved_make(const struct site *site, const struct saving *saving, struct error *err)
{
	cleanup_free char *path = saved_template_path(site, saving->name);
	struct making m = {.site = site, .saving = saving, .archive = -1};
	cleanup_fd int lock = -1, directory = saved_open(site, &lock, err);
	struct stat st;
	int r;

	if (directory < 0)
		return directory;
	m.directory = directory;
	if (stat(path, &st) == 0)
		return error_say(err, ERROR_EXISTS, "there is a template '%s' already ('%s')",
				 saving->name, path);
	if (fstatat(directory, saving->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return error_say(err, ERROR_EXISTS,
				 "there are layers of a template '%s' already; 'stint template rm "
				 "%s' removes them",
				 saving->name, saving->name);
	r = fill(&m, err);
	cleanup_close(&m.archive);
	if (r == 0)
		r = finish(&m, err);
	if (r < 0)
		(void)file_remove_tree(directory, SAVED_NEW);
	return r;
}
