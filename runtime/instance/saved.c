/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that were saved; see saved.h. In commands. */
#include "instance/saved.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "base/text.h"

#include <string.h>

bool saved_has(const struct site *site, const char *path)
{
	cleanup_free char *place = xasprintf("%s/" SAVED_DIRECTORY, site->state_path);

	return path_is_within(path, place) && strcmp(path, place) != 0;
}
