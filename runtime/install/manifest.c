/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of directories; see manifest.h. */
#include "install/manifest.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/visible.h"
#include "base/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>

#define MANIFEST_PLAIN 1
#define MANIFEST_HASHED 2 /* with a hash behind each entry, which may be none */
#define FILE_MAX (1U << 30)
#define DEPTH_MAX 200
#define TICK_NS (20 * NSEC_PER_MSEC)
#define SETTLE_ATTEMPTS 3 /* what is from the future, after a clock was set, never settles */

struct walk {
	struct manifest *manifest;
	size_t room;
	const char *name;
	int cancel;
	dev_t device;
	struct error *err;
};

static int refuse(const struct walk *walk, const char *path, const char *why)
{
	cleanup_text struct text shown = {0};

	text_add_visible(&shown, path, strlen(path));
	return error_say(walk->err, ERROR_FAILED, "'%s/%s': %s", walk->name,
			 shown.data ? shown.data : "", why);
}

static int cannot_read(const struct walk *walk, const char *path, int errnum)
{
	cleanup_text struct text shown = {0};

	text_add_visible(&shown, path, strlen(path));
	return error_set(walk->err, errnum, "cannot read '%s%s%s'", walk->name, *path ? "/" : "",
			 shown.data ? shown.data : "");
}

void manifest_entry_set(struct manifest_entry *entry, const struct stat *st)
{
	entry->mode = st->st_mode;
	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
	entry->links = (uint32_t)st->st_nlink;
	entry->size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	entry->device = st->st_dev;
	entry->inode = st->st_ino;
	entry->special = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? st->st_rdev : 0;
	entry->mtime_ns = st->st_mtim.tv_sec * NSEC_PER_SEC + st->st_mtim.tv_nsec;
	entry->ctime_ns = st->st_ctim.tv_sec * NSEC_PER_SEC + st->st_ctim.tv_nsec;
}

static struct manifest_entry *add_entry(struct walk *walk, const char *path, const struct stat *st)
{
	struct manifest *manifest = walk->manifest;
	struct manifest_entry *entry;

	if (manifest->n == walk->room) {
		walk->room = walk->room ? 2 * walk->room : 256;
		manifest->list = xrealloc(manifest->list, walk->room, sizeof(*manifest->list));
	}
	entry = &manifest->list[manifest->n++];
	*entry = (struct manifest_entry){.path = xstrdup(path)};
	manifest_entry_set(entry, st);
	return entry;
}

static int read_link(const struct walk *walk, int fd, struct manifest_entry *entry)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(fd, "", text, sizeof(text) - 1);

	if (n < 0)
		return cannot_read(walk, entry->path, errno);
	text[n] = '\0';
	entry->link = xstrdup(text);
	return 0;
}

static int read_directory(struct walk *walk, int fd, const char *path, int depth);

/* The walk's list may move: nothing of it is held across a directory. */
static int read_entry(struct walk *walk, int dirfd, const char *name, const char *path, int depth)
{
	cleanup_fd int fd = file_open_exactly(dirfd, name, O_PATH | O_NOFOLLOW);
	struct manifest_entry *entry;
	struct stat st;

	if (fd < 0 && fd != -ELOOP && fd != -EXDEV)
		return cannot_read(walk, path, -fd);
	/* a symbolic link is no way to anything, but a thing of its own */
	if (fd == -ELOOP)
		fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -EXDEV)
		return refuse(walk, path, "another file system is mounted there");
	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot_read(walk, path, errno);
	if (st.st_dev != walk->device)
		return refuse(walk, path,
			      "it is another file system, or a subvolume, which instances would "
			      "not see");
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0))
		return refuse(walk, path,
			      "a device 0:0 means to overlayfs that the file was deleted; remove "
			      "it");
	entry = add_entry(walk, path, &st);
	if (S_ISLNK(st.st_mode))
		return read_link(walk, fd, entry);
	return S_ISDIR(st.st_mode) ? read_directory(walk, fd, path, depth + 1) : 0;
}

static int read_directory(struct walk *walk, int fd, const char *path, int depth)
{
	int readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	cleanup_dir DIR *dir = readable < 0 ? NULL : fdopendir(readable);
	struct dirent *entry;

	if (!dir)
		return cannot_read(walk, path, errno);
	if (depth > DEPTH_MAX)
		return refuse(walk, path, "it lies more than 200 directories deep");
	while (r == 0 && (errno = 0, entry = readdir(dir))) {
		cleanup_free char *below = NULL;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		below = xasprintf("%s%s%s", path, *path ? "/" : "", entry->d_name);
		if (strlen(below) >= PATH_MAX)
			r = refuse(walk, path, "names below it are longer than 4095 bytes");
		else if (file_is_readable(walk->cancel))
			r = error_interrupted(walk->err);
		else
			r = read_entry(walk, readable, entry->d_name, below, depth);
	}
	return r == 0 && errno ? cannot_read(walk, path, errno) : r;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct manifest_entry *)a)->path,
		      ((const struct manifest_entry *)b)->path);
}

static int compare_inodes(const void *a, const void *b)
{
	const struct manifest_entry *x = *(const struct manifest_entry *const *)a;
	const struct manifest_entry *y = *(const struct manifest_entry *const *)b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* What several names lead to counts once. */
static void count(struct manifest *manifest)
{
	cleanup_free const struct manifest_entry **shared =
		xcalloc(manifest->n + 1, sizeof(const struct manifest_entry *));
	size_t n = 0;

	for (size_t i = 0; i < manifest->n; i++) {
		const struct manifest_entry *entry = &manifest->list[i];

		if (!S_ISREG(entry->mode))
			continue;
		manifest->files++;
		manifest->bytes += entry->size;
		if (entry->links > 1)
			shared[n++] = entry;
	}
	qsort(shared, n, sizeof(const struct manifest_entry *), compare_inodes);
	for (size_t i = 1; i < n; i++)
		if (shared[i]->inode == shared[i - 1]->inode) {
			manifest->files--;
			manifest->bytes -= shared[i]->size;
		}
}

int manifest_read(int directory, const char *name, int cancel, struct manifest *ret_manifest,
		  struct error *err)
{
	struct manifest manifest = {.taken_ns = clock_wall_ns()};
	struct walk walk = {.manifest = &manifest, .name = name, .cancel = cancel, .err = err};
	struct stat st;
	int r = fstat(directory, &st) < 0 ? cannot_read(&walk, "", errno) : 0;

	if (r == 0) {
		walk.device = st.st_dev;
		add_entry(&walk, "", &st);
		r = read_directory(&walk, directory, "", 0);
	}
	if (r < 0) {
		manifest_deinit(&manifest);
		return r;
	}
	qsort(manifest.list, manifest.n, sizeof(*manifest.list), compare_paths);
	count(&manifest);
	*ret_manifest = manifest;
	return 0;
}

void manifest_deinit(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->n; i++) {
		free(manifest->list[i].path);
		free(manifest->list[i].link);
	}
	free(manifest->list);
	*manifest = (struct manifest){0};
}

const struct manifest_entry *manifest_find(const struct manifest *manifest, const char *path)
{
	const struct manifest_entry key = {.path = (char *)path};

	return manifest->n ? bsearch(&key, manifest->list, manifest->n, sizeof(key), compare_paths)
			   : NULL;
}

bool manifest_entry_is_settled(const struct manifest *manifest, const struct manifest_entry *entry)
{
	return entry->ctime_ns < manifest->taken_ns - TICK_NS;
}

bool manifest_is_settled(const struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->n; i++)
		if (!manifest_entry_is_settled(manifest, &manifest->list[i]))
			return false;
	return true;
}

/* A moment later what has just been changed is not what has just been changed any more. */
int manifest_read_settled(int directory, const char *name, int cancel,
			  struct manifest *ret_manifest, struct error *err)
{
	const struct timespec moment = {.tv_nsec = 50 * NSEC_PER_MSEC};
	struct manifest manifest = {0};
	int r = 0;

	for (int i = 0; r == 0 && i < SETTLE_ATTEMPTS; i++) {
		manifest_deinit(&manifest);
		r = manifest_read(directory, name, cancel, &manifest, err);
		if (r == 0 && manifest_is_settled(&manifest))
			break;
		nanosleep(&moment, NULL);
	}
	if (r == 0)
		*ret_manifest = manifest;
	return r;
}

static bool is_same_link(const struct manifest_entry *a, const struct manifest_entry *b)
{
	return a->link && b->link ? strcmp(a->link, b->link) == 0 : a->link == b->link;
}

static bool is_same_content(const struct manifest_entry *a, const struct manifest_entry *b)
{
	return !a->hashed || !b->hashed || memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

bool manifest_entry_looks_same(const struct manifest_entry *a, const struct manifest_entry *b)
{
	return is_same_content(a, b) && a->mode == b->mode && a->uid == b->uid &&
	       a->gid == b->gid && a->size == b->size && a->special == b->special &&
	       is_same_link(a, b) && (S_ISDIR(a->mode) || a->mtime_ns == b->mtime_ns);
}

bool manifest_entry_is_untouched(const struct manifest_entry *a, const struct manifest_entry *b)
{
	return manifest_entry_looks_same(a, b) && a->device == b->device && a->inode == b->inode &&
	       a->ctime_ns == b->ctime_ns;
}

bool manifest_has_already(const struct manifest *earlier, const struct manifest_entry *now)
{
	const struct manifest_entry *then = manifest_find(earlier, now->path);

	return then && manifest_entry_is_settled(earlier, then) &&
	       manifest_entry_is_untouched(then, now) && (then->hashed || !now->hashed);
}

bool manifest_has_all_already(const struct manifest *earlier, const struct manifest *now)
{
	for (size_t i = 0; i < now->n; i++)
		if (!manifest_has_already(earlier, &now->list[i]))
			return false;
	return earlier->n == now->n;
}

static void put_entry(struct text *to, const struct manifest_entry *entry)
{
	wire_put_string(to, entry->path);
	wire_put_string(to, entry->link);
	wire_put_u32(to, entry->mode);
	wire_put_u32(to, entry->uid);
	wire_put_u32(to, entry->gid);
	wire_put_u32(to, entry->links);
	wire_put_u64(to, entry->size);
	wire_put_u64(to, entry->device);
	wire_put_u64(to, entry->inode);
	wire_put_u64(to, entry->special);
	wire_put_u64(to, (uint64_t)entry->mtime_ns);
	wire_put_u64(to, (uint64_t)entry->ctime_ns);
}

static void get_entry(struct wire_reader *from, struct manifest_entry *entry)
{
	entry->path = wire_get_string(from);
	entry->link = wire_get_string(from);
	entry->mode = wire_get_u32(from);
	entry->uid = wire_get_u32(from);
	entry->gid = wire_get_u32(from);
	entry->links = wire_get_u32(from);
	entry->size = wire_get_u64(from);
	entry->device = wire_get_u64(from);
	entry->inode = wire_get_u64(from);
	entry->special = wire_get_u64(from);
	entry->mtime_ns = (int64_t)wire_get_u64(from);
	entry->ctime_ns = (int64_t)wire_get_u64(from);
	if (!entry->path || !entry->link != !S_ISLNK(entry->mode))
		from->bad = true;
}

static void get_hash(struct wire_reader *from, struct manifest_entry *entry)
{
	size_t size;
	cleanup_free void *hash = wire_get_bytes(from, &size);

	if (!hash)
		return;
	if (size != sizeof(entry->hash)) {
		from->bad = true;
		return;
	}
	memcpy(entry->hash, hash, size);
	entry->hashed = true;
}

int manifest_write(int dirfd, const char *name, const struct manifest *manifest)
{
	cleanup_text struct text bytes = {0};
	cleanup_fd int fd = -1;

	wire_put_u32(&bytes, manifest->hashed ? MANIFEST_HASHED : MANIFEST_PLAIN);
	wire_put_u64(&bytes, (uint64_t)manifest->taken_ns);
	wire_put_u32(&bytes, (uint32_t)manifest->n);
	for (size_t i = 0; i < manifest->n; i++) {
		const struct manifest_entry *entry = &manifest->list[i];

		put_entry(&bytes, entry);
		if (manifest->hashed)
			wire_put_bytes(&bytes, entry->hash,
				       entry->hashed ? sizeof(entry->hash) : 0);
	}
	fd = openat(dirfd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : file_write_all(fd, bytes.data, bytes.length);
}

int manifest_load(int dirfd, const char *name, struct manifest *ret_manifest)
{
	cleanup_manifest struct manifest manifest = {0};
	cleanup_free char *data = NULL;
	struct wire_reader from = {0};
	uint32_t n, version;
	int r = file_read(dirfd, name, FILE_MAX, &data, &from.left);

	if (r < 0)
		return r;
	from.data = (const uint8_t *)data;
	version = wire_get_u32(&from);
	if (version != MANIFEST_PLAIN && version != MANIFEST_HASHED)
		return -EBADMSG;
	manifest.hashed = version == MANIFEST_HASHED;
	manifest.taken_ns = (int64_t)wire_get_u64(&from);
	n = wire_get_u32(&from);
	if (from.bad || n > from.left)
		return -EBADMSG;
	manifest.list = xcalloc(n ? n : 1, sizeof(*manifest.list));
	while (manifest.n < n && !from.bad) {
		get_entry(&from, &manifest.list[manifest.n]);
		if (manifest.hashed)
			get_hash(&from, &manifest.list[manifest.n]);
		manifest.n++;
	}
	if (from.bad || from.left)
		return -EBADMSG;
	count(&manifest);
	*ret_manifest = manifest;
	manifest = (struct manifest){0};
	return 0;
}
