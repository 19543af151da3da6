/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes in a manifest; see hash.h. */
#include "install/hash.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "base/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static bool lacks_hash(const struct manifest_entry *entry)
{
	return S_ISREG(entry->mode) && !entry->hashed;
}

void hash_take_over(struct manifest *manifest, const struct manifest *known)
{
	for (size_t i = 0; known && i < manifest->n; i++) {
		struct manifest_entry *now = &manifest->list[i];
		const struct manifest_entry *then =
			lacks_hash(now) ? manifest_find(known, now->path) : NULL;

		if (!then || !then->hashed || !manifest_entry_is_untouched(then, now))
			continue;
		memcpy(now->hash, then->hash, sizeof(now->hash));
		now->hashed = true;
	}
}

void hash_count(const struct manifest *manifest, struct hashing *hashing)
{
	hashing->progress.hashing = true;
	for (size_t i = 0; i < manifest->n; i++) {
		if (!lacks_hash(&manifest->list[i]))
			continue;
		hashing->progress.total_files++;
		hashing->progress.total_bytes += manifest->list[i].size;
	}
}

static int cannot_read(const char *name, const struct manifest_entry *entry, int errnum,
		       struct error *err)
{
	cleanup_text struct text shown = {0};

	text_add_visible(&shown, entry->path, strlen(entry->path));
	return error_set(err, errnum, "cannot read '%s/%s'", name, shown.data ? shown.data : "");
}

/* Somebody may have put anything in its place: that is opened without waiting, and not read. */
static int hash_one(int directory, struct manifest_entry *entry, int cancel)
{
	cleanup_fd int fd =
		file_open_exactly(directory, entry->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EXDEV || fd == -ENXIO)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? fd : -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	r = digest_of_file(fd, cancel, entry->hash);
	entry->hashed = r == 0;
	return r;
}

int hash_all(int directory, const char *name, struct manifest *manifest, struct hashing *hashing,
	     struct error *err)
{
	int first = digest_load(err);

	if (first < 0)
		return first;
	manifest->hashed = true;
	for (size_t i = 0; i < manifest->n; i++) {
		struct manifest_entry *entry = &manifest->list[i];
		int r = lacks_hash(entry) ? hash_one(directory, entry, hashing->cancel) : 1;

		if (r == -ECANCELED)
			return error_interrupted(err);
		if (r < 0 && first == 0)
			first = cannot_read(name, entry, -r, err);
		if (r > 0)
			continue;
		hashing->progress.files++;
		hashing->progress.bytes += entry->size;
		if (hashing->tell)
			hashing->tell(&hashing->progress, hashing->data);
	}
	return first;
}
