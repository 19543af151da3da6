/* SPDX-License-Identifier: Apache-2.0 */
/* One member of a harvest into an upper layer; see unpacking.h. */
#include "instance/unpacking.h"
#include "instance/harvest.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

#define RESERVED ".wh..wh." /* a file of such a name is for those who write layers */

/* A name that is there was made by this archive: the layer was empty. */
static int failed(const struct unpacking *u, const struct archive_member *member, int r)
{
	if (r == -EEXIST || r == -EISDIR || r == -ENOTDIR)
		return unpack_refuse(u, member->path, "stands there twice, as different things");
	return unpack_cannot(u, member->path, r);
}

static int check_attributes(const struct unpacking *u, const struct archive_member *member)
{
	for (size_t i = 0; i < member->n_attributes; i++)
		if (!harvest_keeps_attribute(member->attributes[i].name))
			return unpack_refuse(
				u, member->path,
				strcmp(member->attributes[i].name, "security.capability") == 0
					? "has capabilities, which no instance may bring along"
					: "has an attribute that is not of its user's");
	return 0;
}

static int set_attributes(int fd, const struct archive_member *member)
{
	for (size_t i = 0; i < member->n_attributes; i++)
		if (fsetxattr(fd, member->attributes[i].name, member->attributes[i].value,
			      member->attributes[i].size, 0) < 0)
			return -errno;
	return 0;
}

/* The mode last: a list of access rights changes it, and it may take rights away. */
static int set_looks(int fd, const struct archive_member *member)
{
	int r = fchown(fd, member->uid, member->gid) < 0 ? -errno : set_attributes(fd, member);

	if (r == 0 && fchmod(fd, member->mode & 07777) < 0)
		r = -errno;
	return r;
}

static int write_content(struct unpacking *u, const struct archive_member *member, int fd)
{
	const void *data;
	int64_t offset;
	size_t size;
	int r;

	while ((r = archive_in_read(u->in, &data, &size, &offset, u->err)) > 0) {
		if (offset < 0 || offset > member->size || (int64_t)size > member->size - offset)
			return unpack_refuse(u, member->path, "is longer than it says");
		for (size_t done = 0; done < size;) {
			ssize_t n = pwrite(fd, (const char *)data + done, size - done,
					   (off_t)(offset + (int64_t)done));

			if (n < 0 && errno != EINTR)
				return unpack_cannot(u, member->path, -errno);
			done += n > 0 ? (size_t)n : 0;
		}
	}
	if (r == 0 && ftruncate(fd, (off_t)member->size) < 0)
		r = unpack_cannot(u, member->path, -errno);
	return r;
}

static int put_file(struct unpacking *u, const struct archive_member *member,
		    const struct unpack_spot *spot)
{
	const struct timespec times[2] = {member->mtime, member->mtime};
	cleanup_fd int fd = openat(spot->directory, spot->name,
				   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return failed(u, member, -errno);
	if (member->size < 0)
		return unpack_refuse(u, member->path, "is longer than it says");
	r = write_content(u, member, fd);
	if (r < 0)
		return r;
	r = set_looks(fd, member);
	if (r == 0 && futimens(fd, times) < 0)
		r = -errno;
	return r < 0 ? unpack_cannot(u, member->path, r) : 0;
}

static int put_directory(struct unpacking *u, const struct archive_member *member,
			 const struct unpack_spot *spot)
{
	const char *path = *spot->below ? spot->below : ".";
	bool is_new = *spot->below && mkdirat(spot->directory, spot->name, 0700) == 0;
	cleanup_fd int fd = -1;
	int r;

	if (!is_new && *spot->below && errno != EEXIST)
		return failed(u, member, -errno);
	/* one that is there was made on the way to something, or is the install's own */
	if (!is_new && made_has(&u->made, spot->place->upper, path))
		return unpack_refuse(u, member->path, "stands there twice");
	fd = file_open_exactly(spot->directory, spot->name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return failed(u, member, fd == -ELOOP ? -EEXIST : fd);
	r = set_looks(fd, member);
	if (r < 0)
		return unpack_cannot(u, member->path, r);
	made_add(&u->made, spot->place->upper, path, member->mtime);
	return 0;
}

static int put_symlink(struct unpacking *u, const struct archive_member *member,
		       const struct unpack_spot *spot)
{
	const struct timespec times[2] = {member->mtime, member->mtime};

	if (!member->target || !*member->target)
		return unpack_refuse(u, member->path, "is a link to nothing");
	if (symlinkat(member->target, spot->directory, spot->name) < 0)
		return failed(u, member, -errno);
	if (fchownat(spot->directory, spot->name, member->uid, member->gid, AT_SYMLINK_NOFOLLOW) <
		    0 ||
	    utimensat(spot->directory, spot->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return unpack_cannot(u, member->path, -errno);
	return 0;
}

/* The other name must have come before, in the same install. */
static int put_name(struct unpacking *u, const struct archive_member *member,
		    const struct unpack_spot *spot)
{
	const char *install = spot->place->install + 1;
	size_t length = strlen(install);
	cleanup_fd int other = -1;
	cleanup_free char *self = NULL;
	struct stat st;

	if (strncmp(member->link_to, install, length) != 0 || member->link_to[length] != '/')
		return unpack_refuse(u, member->path, "is a name of a file outside its install");
	other = file_open_exactly(spot->place->upper, member->link_to + length + 1, O_PATH);
	if (other < 0 || fstat(other, &st) < 0 || !S_ISREG(st.st_mode))
		return unpack_refuse(u, member->path,
				     "is a name of a file that has not come before it");
	self = xasprintf("/proc/self/fd/%d", other);
	if (linkat(AT_FDCWD, self, spot->directory, spot->name, AT_SYMLINK_FOLLOW) < 0)
		return failed(u, member, -errno);
	return 0;
}

int unpack_put(struct unpacking *u, const struct archive_member *member,
	       const struct unpack_spot *spot)
{
	int r = check_attributes(u, member);

	if (r < 0)
		return r;
	if (!*spot->below && !S_ISDIR(member->mode))
		return unpack_refuse(u, member->path,
				     "would take the place of an install directory");
	if (member->link_to)
		return put_name(u, member, spot);
	if (S_ISLNK(member->mode))
		return put_symlink(u, member, spot);
	if (member->mode & S_ISUID || (member->mode & S_ISGID && !S_ISDIR(member->mode)))
		return unpack_refuse(u, member->path,
				     "is set-user-id or set-group-id, which no instance may bring "
				     "along");
	if (S_ISDIR(member->mode))
		return put_directory(u, member, spot);
	if (S_ISREG(member->mode))
		return put_file(u, member, spot);
	return unpack_refuse(u, member->path, "is neither a file nor a directory nor a link");
}

static int put_opaque(const struct unpacking *u, const struct archive_member *member,
		      const struct unpack_spot *spot)
{
	if (!strchr(spot->below, '/'))
		return unpack_refuse(u, member->path, "would hide all of an install directory");
	if (fsetxattr(spot->directory, "trusted.overlay.opaque", "y", 1, 0) < 0)
		return unpack_cannot(u, member->path, -errno);
	return 0;
}

int unpack_mark(const struct unpacking *u, const struct archive_member *member,
		const struct unpack_spot *spot)
{
	const char *name = spot->name + strlen(HARVEST_MARK);

	if (!S_ISREG(member->mode) || member->size != 0 || member->link_to)
		return unpack_refuse(u, member->path, "has a mark's name and is none");
	if (strcmp(spot->name, HARVEST_OPAQUE) == 0)
		return put_opaque(u, member, spot);
	if (strncmp(spot->name, RESERVED, strlen(RESERVED)) == 0 || !*name ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return unpack_refuse(u, member->path, "is a mark that is not known here");
	if (mknodat(spot->directory, name, S_IFCHR, 0) < 0)
		return failed(u, member, -errno);
	return 0;
}
