/* SPDX-License-Identifier: Apache-2.0 */
/* Absolute paths as text; see path.h. */
#include "base/path.h"

#include <limits.h>
#include <string.h>

const char *path_fault(const char *path)
{
	if (path[0] != '/')
		return "is not an absolute path";
	if (strlen(path) >= PATH_MAX)
		return "is too long for a path";
	while (*path) {
		size_t length = strcspn(++path, "/");

		if (length == 0)
			return "has an empty component";
		if ((length == 1 && path[0] == '.') || (length == 2 && !memcmp(path, "..", 2)))
			return "has a component '.' or '..'";
		if (length > NAME_MAX)
			return "has a component that is too long";
		path += length;
	}
	return NULL;
}

void path_trim(char *path)
{
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
}

bool path_is_within(const char *path, const char *directory)
{
	size_t n = strcmp(directory, "/") == 0 ? 0 : strlen(directory);

	return strncmp(path, directory, n) == 0 && (path[n] == '/' || path[n] == '\0');
}
