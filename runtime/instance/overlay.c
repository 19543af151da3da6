/* SPDX-License-Identifier: Apache-2.0 */
/* Marks of an overlay; see overlay.h. In commands that read an upper directory on the host. */
#include "instance/overlay.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define OPAQUE "trusted.overlay.opaque"
#define REDIRECT "trusted.overlay.redirect"
#define WHITEOUT "trusted.overlay.whiteout"

/* fgetxattr(2) refuses O_PATH descriptors; by this path it is the very same object. */
static ssize_t get_mark(int fd, const char *name, char *value, size_t size)
{
	cleanup_free char *self = xasprintf("/proc/self/fd/%d", fd);

	return getxattr(self, name, value, size);
}

bool overlay_is_whiteout(int fd, const struct stat *st)
{
	char value[8];

	if (S_ISCHR(st->st_mode))
		return st->st_rdev == makedev(0, 0);
	return S_ISREG(st->st_mode) && st->st_size == 0 &&
	       get_mark(fd, WHITEOUT, value, sizeof(value)) >= 0;
}

bool overlay_is_opaque(int fd)
{
	char value[8];

	return get_mark(fd, OPAQUE, value, sizeof(value)) == 1 && value[0] == 'y';
}

char *overlay_redirect(int fd)
{
	char value[PATH_MAX];
	ssize_t n = get_mark(fd, REDIRECT, value, sizeof(value) - 1);

	if (n <= 0 || memchr(value, '\0', (size_t)n))
		return NULL;
	value[n] = '\0';
	return xstrdup(value);
}
