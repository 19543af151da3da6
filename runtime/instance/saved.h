/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers that "stint save" made of an instance's changes: STATE/layer/TEMPLATE/INDEX, for the
 * install directory of that index, as overlayfs reads a lower layer. One is in use while a file in
 * the site's template directory names its path, or an instance was started on it.
 */
#ifndef INSTANCE_SAVED_H
#define INSTANCE_SAVED_H

#include "instance/site.h"

#include <stdbool.h>

#define SAVED_DIRECTORY "layer" /* below the state directory */

/* Whether the path is one of these layers. */
bool saved_has(const struct site *site, const char *path);

#endif
